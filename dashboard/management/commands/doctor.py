"""`manage.py doctor`: check everything and say what to do."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboard.doctor import DOUBT, FAULT, FINE, examine


class Command(BaseCommand):
    """One line a finding. Exit code 0: nothing breaks, though there may be doubts; 1: something is broken."""

    help = "Check settings, database, log, channel layer, clocks, topics, rights and workers; say what to do."
    # It tells what the checks find by itself, together with everything else.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine; with --verbosity 0 only what is not well is printed."""
        counts = dict.fromkeys((FINE, DOUBT, FAULT), 0)
        for finding in examine():
            counts[finding.state] += 1
            if options["verbosity"] > 0 or finding.state != FINE:
                self.stdout.write(finding.line)
                self.stdout.flush()
        if counts[FAULT]:
            raise CommandError(f"{counts[FAULT]} faults, {counts[DOUBT]} doubts.")
        if options["verbosity"] > 0:
            self.stdout.write(f"Nothing is broken; {counts[DOUBT]} doubts.")
