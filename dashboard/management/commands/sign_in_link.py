"""`manage.py sign_in_link`: another link that signs in once, on this machine."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from dashboard.signinlinks import new_link


class Command(BaseCommand):
    """Print a link that signs a user in once."""

    help = "Print a link that signs a user in once; it is good for a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """USER, --port, --state."""
        parser.add_argument("user", nargs="?", default="demo")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--state", help="folder of everything kept on this machine")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link."""
        try:
            self.stdout.write(f"Open {new_link(options['user'], port=options['port'])}")
        except get_user_model().DoesNotExist:
            hint = "`manage.py createsuperuser` makes one."
            raise CommandError(f"There is no user {options['user']!r}; {hint}") from None
