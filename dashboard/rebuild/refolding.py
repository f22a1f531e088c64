"""Folding stored records into the fresh tables, with the code that folds them live.

Revisions begin above all those that the live rows have reached: browsers keep whatever is newer, and a worker that
still holds rows of before the swap finds none of them as it left them.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import msgspec
from django.db import DatabaseError, connection, transaction
from django.db.models import Max

from coordination.errors import CoordinationError, MalformedRecord
from coordination.event import Event
from coordination.eventlog import StoredRecord
from coordination.projection import fold
from coordination.rows import Layout, Touched
from coordination.runs import RunPart
from dashboard.hiding import HidingDecoder
from dashboard.ingest.store import Store
from dashboard.ingest.summary import run_values
from dashboard.ingest.tables import AGENTS, FAN_OUTS, FOLD_PARTS, REQUESTS, RUN_PARTS, TASKS
from dashboard.ingest.working import WorkingSet
from dashboard.manifest import manifest
from dashboard.models import Agent, FanOut, FoldPart, Request, Task
from dashboard.models import RunPart as RunPartModel
from dashboard.policies import rules

log = logging.getLogger(__name__)
ERA: Final = 1 << 24
"""Revisions of one rebuild: no row is touched by that many batches before the next."""
RUNS: Final = 1_000
Mark = tuple[str, int, int]


class Unfolded(msgspec.Struct, frozen=True):
    """A stored record that this release cannot fold any more: where it stands, and why."""

    topic: str
    partition: int
    offset: int
    reason: str


def next_era() -> int:
    """The revision that the rows of this rebuild begin above."""
    kinds = (Task, RunPartModel, FoldPart, FanOut, Request, Agent)
    reached = max(kind.objects.aggregate(reached=Max("revision"))["reached"] or 0 for kind in kinds)
    return (reached // ERA + 1) * ERA


class Refolding:
    """Folds into the tables of the connection at hand, for one thread. `folded` counts records."""

    def __init__(self, store: Store, layout: Layout, era: int) -> None:
        self._store = store
        self._era = era
        self._decoder = HidingDecoder(manifest(), rules())
        self._working = WorkingSet(store, layout)
        self._runs: set[str] = set()
        self.folded = 0
        self.unfolded: list[Unfolded] = []

    def take(self, records: Sequence[StoredRecord]) -> None:
        """Fold a chunk and write its rows, in one transaction."""
        self._write([event for record in records if (event := self._decoded(record)) is not None])

    def summarise(self) -> int:
        """Derive the summaries of the runs that were touched since the last time; how many."""
        runs, self._runs = sorted(self._runs), set()
        rest = iter(runs)
        while ids := list(islice(rest, RUNS)):
            parts: dict[str, list[RunPart]] = {}
            with transaction.atomic(), self._all_or_nothing():
                for part in self._store.load_parts(ids):
                    parts.setdefault(part.run_id, []).append(part)
                self._store.save_runs([run_values(found) for found in parts.values()])
                self._store.settle()
        return len(runs)

    def _decoded(self, record: StoredRecord) -> Event | None:
        try:
            return self._decoder.decode(record)
        except MalformedRecord as error:
            self._leave_out((record.topic, record.partition, record.offset), str(error))
            return None

    def _write(self, events: Sequence[Event]) -> None:
        if not events:
            return
        try:
            with transaction.atomic(), self._all_or_nothing():
                touched = self._fold(events)
        except Exception as error:  # whatever a fold may raise: the record it is about is found by halving
            self._working.forget()
            if isinstance(error, CoordinationError | DatabaseError) and not connection.is_usable():
                raise
            self._write_parts(events, error)
            return
        self._working.used(touched)
        self._runs |= touched.runs
        self.folded += len(events)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._store.discard()
            raise

    def _write_parts(self, events: Sequence[Event], error: Exception) -> None:
        if len(events) > 1:
            middle = len(events) // 2
            self._write(events[:middle])
            self._write(events[middle:])
            return
        event = events[0]
        self._leave_out((event.topic, event.partition, event.offset), f"{type(error).__name__}: {error}")

    def _leave_out(self, mark: Mark, reason: str) -> None:
        log.error("%s-%s@%s cannot be folded: %s", *mark, reason)
        self.unfolded.append(Unfolded(*mark, reason))

    def _fold(self, events: Sequence[Event]) -> Touched:
        working, store = self._working, self._store
        working.load_for(events, lock=False)
        rows = working.rows
        touched = fold(rows, events)
        working.enter_parts(touched.run_parts)
        kinds: tuple[tuple[Any, Any, Any], ...] = (
            (TASKS, rows.tasks, touched.tasks),
            (RUN_PARTS, rows.run_parts, touched.run_parts),
            (FOLD_PARTS, rows.fold_parts, touched.fold_parts),
            (FAN_OUTS, rows.fan_outs, touched.fan_outs),
            (REQUESTS, rows.requests, touched.requests),
            (AGENTS, rows.agents, touched.agents),
        )
        for table, known, keys in kinds:
            if keys:
                store.save(table, [self._of_this_era(known[key]) for key in sorted(keys)])
        if touched.gone:
            store.forget_folds(sorted(touched.gone))
        store.settle()
        return touched

    def _of_this_era(self, row: Any) -> Any:
        if row.revision < self._era:
            row.revision += self._era
        return row
