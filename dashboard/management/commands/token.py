"""`manage.py token USER`: makes an API token and prints it once."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.api.tokens import DEFAULT_SCOPE, wrong_scope
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.models import ApiToken

DAY = 86_400_000_000


class Command(BaseCommand):
    """Only the hash of a token is kept; what is printed cannot be had again."""

    help = "Make an API token for a user and print it. It gives no more than the user may do."

    def add_arguments(self, parser: CommandParser) -> None:
        """USER, what the token is for, its scope, how long it lasts."""
        parser.add_argument("user", help="name of the user")
        parser.add_argument("--name", default="", help="what the token is for")
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            help="read, events, decide, steer, redrive, or log:<topic pattern>; repeat it (default: read)",
        )
        parser.add_argument("--days", type=int, default=None, help="how long it lasts (default: until it is deleted)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token."""
        user = get_user_model().objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['user']}. Make one with `manage.py createsuperuser`.")
        scope = options["scope"] or list(DEFAULT_SCOPE)
        wrong = wrong_scope(scope)
        if wrong:
            raise CommandError(wrong)
        days = options["days"]
        if days is not None and days < 1:
            raise CommandError("--days must be at least 1.")
        expires_at = None if days is None else database_now() + days * DAY
        token, secret = ApiToken.objects.issue(user, options["name"] or "by command", scope, expires_at)
        enter("command", "token.issued", f"token/{token.pk}", {"user": str(user.pk), "scope": scope})
        self.stdout.write(secret)
