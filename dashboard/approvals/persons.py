"""People as the policy sees them: an opaque id, the names an agent may know them by, their groups."""

from typing import Final

from django.contrib.auth.models import User

SERVICE: Final = "service"
"""Members of this group are accounts of programs: they may do what their rights allow, and never vote."""


def voter_of(person: User) -> str:
    """The opaque id under which a person appears in records and in the audit trail."""
    return f"user-{person.pk}"


def names_of(person: User) -> frozenset[str]:
    """What an `on_behalf_of` chain may call this person: opaque id, user name, mail address."""
    return frozenset(name for name in (voter_of(person), person.get_username(), person.email) if name)


def groups_of(person: User) -> frozenset[str]:
    """The names of the groups a person is in."""
    return frozenset(group.name for group in person.groups.all())


def is_service(person: User) -> bool:
    """Whether this is the account of a program."""
    return SERVICE in groups_of(person)
