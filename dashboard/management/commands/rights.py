"""`manage.py rights`: who may see and do what, as a table of every route and every watch against every role."""

from typing import Any, Final

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from dashboard.permissions import ROLES, WATCHES, Capability, ensure_roles
from dashboard.routes import routes, unexplained

YES, NO = "yes", "-"
WIDTH: Final = 9


class Command(BaseCommand):
    """Exit code 1 if there is a route that rests on no capability and nobody said why.

    The groups are asked as they are in this database: what people changed in the admin shows.
    """

    help = "Print every route and every watch with the right it needs and the roles that hold it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the table."""
        lines = [(route.method, route.path, route.capability, route.right) for route in routes()]
        lines += [("WATCH", about, capability, capability.__name__) for about, capability in WATCHES.items()]
        with transaction.atomic():
            people = _people()
            answers = [[_word(person, capability) for person in people] for _, _, capability, _ in lines]
            # The people were made to ask them; they never were.
            transaction.set_rollback(True)
        wide = max(len(path) for _, path, _, _ in lines)
        self.stdout.write(f"{'':6} {'':{wide}} " + "".join(f"{role:<{WIDTH}}" for role in ROLES) + "right")
        for (method, path, _, right), words in zip(lines, answers, strict=True):
            self.stdout.write(f"{method:6} {path:{wide}} " + "".join(f"{word:<{WIDTH}}" for word in words) + right)
        holes = unexplained()
        if holes:
            raise CommandError(f"{len(holes)} routes rest on no capability: {', '.join(hole.path for hole in holes)}")


def _people() -> list[User]:
    """One person a role, bound to no tenant."""
    ensure_roles()
    people = []
    for role in ROLES:
        person = User.objects.create(username=f"rights of {role}")
        person.groups.add(Group.objects.get(name=role))
        people.append(person)
    return people


def _word(person: User, capability: Capability | None) -> str:
    return "open" if capability is None else YES if capability(person) else NO
