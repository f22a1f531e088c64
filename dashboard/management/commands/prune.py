"""`manage.py prune`: what the stated policy would delete; with --apply it does."""

from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from coordination.instants import rfc3339
from dashboard.clock import database_now
from dashboard.policies import retention
from dashboard.pruning import Busy, Plan, plans, prune

WORDS: Final = {
    "completed": "runs that completed",
    "failed": "runs that failed or were canceled",
    "approvals": "of these, runs in which a person was asked",
    "tools": "records in segments with tool and model calls",
    "ops": "records of no run",
}


class Command(BaseCommand):
    """Without --apply nothing is changed. What is deleted cannot be had again; its digests stay, so the chains hold."""

    help = "Preview what the retention policy would delete (`manage.py policy retention`); --apply deletes it."

    def add_arguments(self, parser: CommandParser) -> None:
        """--apply, --by."""
        parser.add_argument("--apply", action="store_true", help="delete what is shown")
        parser.add_argument("--by", default="", help="who deletes; needed with --apply")

    def handle(self, *args: Any, **options: Any) -> None:
        """Preview, or prune."""
        policy = retention()
        for plan in plans(policy, database_now()):
            self.stdout.write(_line(plan))
        if not options["apply"]:
            self.stdout.write("Nothing was deleted; --apply does it.")
            return
        if not options["by"].strip():
            raise CommandError("Say who deletes, with --by NAME: the audit trail wants to know.")
        gone = {"runs": 0, "tools": 0, "ops": 0}
        try:
            for name, records in prune(policy, f"command/{options['by']}"):
                gone[name] += records
        except Busy:
            raise CommandError("A rebuild is under way. Try again when it is done; what was deleted is.") from None
        self.stdout.write(
            f"Deleted {gone['runs']:,} records of runs, {gone['tools']:,} of calls, {gone['ops']:,} of no run."
        )


def _line(plan: Plan) -> str:
    kept = "kept for ever" if plan.days is None else f"kept {plan.days:g} days"
    what = f"{plan.runs:,} {WORDS[plan.name]}" if plan.runs or plan.name in ("completed", "failed", "approvals") else ""
    ends = f", ended {rfc3339(plan.first)} to {rfc3339(plan.last)}" if plan.first and plan.last else ""
    records = f"{plan.records:,} records, {plan.size / 1_000_000:,.1f} MB"
    return f"{plan.name:<10} {kept:<16} {what or WORDS[plan.name]}: {records}{ends}"
