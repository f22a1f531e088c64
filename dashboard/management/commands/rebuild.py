"""`manage.py rebuild`: fold the stored records again and put the result in the place of the live rows."""

import asyncio
import time
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from coordination.errors import CoordinationError
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.eventlog import close_eventlog, open_eventlog
from dashboard.models import Worker
from dashboard.rebuild import rebuild
from dashboard.runtime import INGEST, Runtime

TELL_EVERY: Final = 5.0


class Command(BaseCommand):
    """Pages stay up, workers pause for some seconds. Exit code 1: the live tables are as they were."""

    help = "Fold the stored records and the log's tail into fresh tables beside the live ones, and swap."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--leave-out, --no-tail."""
        parser.add_argument(
            "--leave-out", action="store_true", help="go on although some stored records cannot be folded any more"
        )
        parser.add_argument("--no-tail", action="store_true", help="leave the log's tail to the workers")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild, say how it went, and read the log's tail if nobody else does."""
        self._loud, self._told = options["verbosity"] > 0, time.monotonic()
        try:
            done = rebuild(self._progress, leave_out=options["leave_out"])
        except CoordinationError as error:
            raise CommandError(str(error)) from error
        # The readiness page goes by it: a way back that was never tried is none.
        enter("command", "tables.rebuilt", "tables", {"records": done.records, "runs": done.runs})
        self._say(
            f"{done.records} records of {done.runs} runs folded in {done.seconds:.1f} s, {_rate(done.records, done)}."
        )
        self._say(f"Swapped in {done.swap:.2f} s; ingest paused for {done.paused:.2f} s.")
        if done.unfolded:
            self._say(f"{len(done.unfolded)} stored records were left out; the log of this command names them.")
        if not options["no_tail"]:
            self._say(self._tail())

    def _progress(self, records: int, seconds: float) -> None:
        if time.monotonic() - self._told >= TELL_EVERY:
            self._told = time.monotonic()
            self._say(f"{records} records, {records / max(seconds, 1e-9):,.0f} a second")

    def _say(self, words: str) -> None:
        if self._loud:
            self.stdout.write(words)
            self.stdout.flush()

    def _tail(self) -> str:
        if Worker.objects.filter(role=INGEST, lease_until__gt=database_now()).exists():
            return "The log's tail is read by the workers."
        try:
            asyncio.run(_ask())
        except CoordinationError as error:
            return f"The log's tail is not read: {error} It follows as soon as a worker runs and the log answers."
        runtime = Runtime([INGEST], drain=True)
        runtime.start()
        runtime.wait()
        runtime.stop()
        if not runtime.drained:
            return "The log's tail is not read; `manage.py doctor` says why."
        return "The log's tail is read."


async def _ask() -> None:
    try:
        await open_eventlog().topics()
    finally:
        await close_eventlog()


def _rate(records: int, done: Any) -> str:
    return f"{records / max(done.seconds, 1e-9):,.0f} a second"
