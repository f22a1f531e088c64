"""People as the policy sees them: an opaque id, the names an agent may know them by, their groups."""

import unicodedata
from collections.abc import Iterable
from typing import Final

from django.contrib.auth.models import User

SERVICE: Final = "service"
"""Members of this group are accounts of programs: they may do what their rights allow, and never vote."""


def voter_of(person: User) -> str:
    """The opaque id under which a person appears in records and in the audit trail."""
    return f"user-{person.pk}"


def asks_for(person: User, on_behalf_of: Iterable[str]) -> bool:
    """Whether a chain of `on_behalf_of` names this person: by opaque id, user name or mail address, however they are
    written (`Lena@Example.org`, `user:lena`)."""
    names = {_plain(name) for name in (voter_of(person), person.get_username(), person.email) if name}
    return any(not names.isdisjoint((_plain(link), _plain(link.rpartition(":")[2]))) for link in on_behalf_of)


def _plain(name: str) -> str:
    """One spelling for names that people take for the same."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def groups_of(person: User) -> frozenset[str]:
    """The names of the groups a person is in."""
    return frozenset(group.name for group in person.groups.all())


def is_service(person: User) -> bool:
    """Whether this is the account of a program."""
    return SERVICE in groups_of(person)
