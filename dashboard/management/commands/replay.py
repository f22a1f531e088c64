"""`manage.py replay RUN --to POSITION`: print a run end to end, against the topic sequence."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from coordination.instants import rfc3339
from coordination.replay import BadPosition, Change, Replayed, Step, read_run, steps
from coordination.rows import Layout
from dashboard.events import records_of_run
from dashboard.hiding import HidingDecoder
from dashboard.manifest import layout, manifest
from dashboard.models import Run
from dashboard.policies import rules

NONE: Final = "–"


class Command(BaseCommand):
    """Reads the stored records alone: asks no log, writes nothing, runs no effect.

    One line a record, in the order of the replay: instant, position, type, task, what it changed. Records that are
    no events any more go to the error output with their reason.
    """

    help = "Print a run end to end from the stored records, up to a position; touches nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """RUN, --to."""
        parser.add_argument("run", help="the run's id")
        parser.add_argument(
            "--to", metavar="POSITION", default=None, help="topic-partition@offset or an RFC 3339 time (default: end)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay."""
        run_id, places = options["run"], layout()
        records = list(records_of_run(run_id))
        if not records:
            raise CommandError(f"No record of a run {run_id!r} is stored.")
        try:
            decoder = HidingDecoder(manifest(), rules())
            replayed = read_run(records, run_id, options["to"], decoder=decoder, layout=places)
        except BadPosition as error:
            raise CommandError(str(error)) from error
        self._print(replayed, places)
        if options["to"] is None and not replayed.unread:
            self._compare(run_id, replayed)

    def _print(self, replayed: Replayed, places: Layout) -> None:
        width = max((len(one.position.text()) for one in replayed.placed), default=0)
        for step in steps(replayed.placed, places):
            self.stdout.write(_line(step, width))
        for unread in replayed.unread:
            place = f"{unread.topic}-{unread.partition}@{unread.offset}"
            self.stderr.write(f"{place} is no event ({unread.stage}): {unread.reason}")
        self.stdout.write(f"{len(replayed.placed)} records. Tasks: {_counts(_states(replayed)) or 'none'}.")

    def _compare(self, run_id: str, replayed: Replayed) -> None:
        run, states = Run.objects.filter(run_id=run_id).first(), _states(replayed)
        live = Counter({state: count for state, count in (run.counts if run else {}).items() if count})
        if live == states:
            self.stdout.write("The tables say the same.")
            return
        raise CommandError(
            f"The tables say otherwise: {_counts(live) or 'none'}. If the run has not moved meanwhile, "
            "`manage.py rebuild` folds them again."
        )


def _line(step: Step, width: int) -> str:
    event = step.event
    changes = "; ".join(map(_changed, step.changes))
    parts = (rfc3339(event.at), f"{step.position.text():<{width}}", event.name, event.task_id or NONE, changes)
    return "  ".join(parts).rstrip()


def _changed(change: Change) -> str:
    what = f"{change.before or NONE} → {change.after or NONE}"
    return what if change.task_id else f"run {what}"


def _states(replayed: Replayed) -> Counter[str]:
    return Counter(task.state for task in replayed.rows.tasks.values())


def _counts(states: Counter[str]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
