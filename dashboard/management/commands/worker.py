"""`manage.py worker`: what happens in the background. Run as many as you like; they share the work by leases."""

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboard.runtime import ALL, ON_REQUEST, Runtime


class Command(BaseCommand):
    """Ingest, lag poll, relay, sweeper and upkeep until SIGTERM or Ctrl-C."""

    help = "Read the log into the tables, poll lag, send decisions, fire timers. Run as many as you like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--roles, --drain."""
        parser.add_argument(
            "--roles", default=",".join(ALL), help=f"some of {','.join((*ALL, *ON_REQUEST))} (default: {','.join(ALL)})"
        )
        parser.add_argument(
            "--drain", action="store_true", help="stop with exit code 0 once the log's end is in the tables"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        roles = [role.strip() for role in options["roles"].split(",") if role.strip()]
        try:
            runtime = Runtime(roles, drain=options["drain"])
        except ValueError as error:
            raise CommandError(str(error)) from None
        self._stop_on_signals(runtime)
        runtime.start()
        # In steps, because a signal is handled only between them.
        while not runtime.wait(0.5):
            continue
        if not runtime.stop():
            raise CommandError("A role did not end within its time; what was under way is not written.")
        if options["drain"] and not runtime.drained:
            raise CommandError("Stopped before the log's end was in the tables; `manage.py doctor` says why.")

    def _stop_on_signals(self, runtime: Runtime) -> None:
        def stop(number: int, frame: FrameType | None) -> None:
            runtime.request_stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
