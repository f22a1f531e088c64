"""`manage.py policy`: show and change what is masked in payloads and how long runs are kept."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.models import Policy
from dashboard.policies import MASKING, RETENTION, BadPolicy, change


class Command(BaseCommand):
    """Without VALUE it prints the policy in force; each change is entered in the audit trail with before and after."""

    help = "Show or change a policy: masking of payloads, retention of ended runs."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME, VALUE, --by."""
        parser.add_argument("name", choices=(MASKING, RETENTION))
        parser.add_argument("value", nargs="?", help='JSON, for instance \'{"paths": ["**.password"]}\'')
        parser.add_argument("--by", default="", help="who changes it; needed for a change")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show or change."""
        if options["value"] is None:
            row = Policy.objects.filter(name=options["name"]).first()
            self.stdout.write(json.dumps(row.value if row else {}, indent=2))
            return
        if not options["by"].strip():
            raise CommandError("Say who changes it, with --by NAME: the audit trail wants to know.")
        try:
            change(options["name"], json.loads(options["value"]), f"command/{options['by']}")
        except (json.JSONDecodeError, BadPolicy) as error:
            raise CommandError(f"{error}") from error
        self.stdout.write("Changed.")
