"""One run's past: its history, the tables as they stood at the place asked for last, and snapshots to go from.

To stand at a position means to thaw the nearest snapshot before it and to fold the events in between. A step forward
folds on from where the tables stand. Snapshots are made on the way, so the first visit to a place pays for it.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from django.db import connection, transaction

from coordination.errors import CoordinationError
from dashboard.collector import without_collector
from dashboard.ingest.rowwriting import RowWriter
from dashboard.ingest.sqlite import SqliteStore
from dashboard.ingest.working import WorkingSet
from dashboard.manifest import layout
from dashboard.models.tenancy import Tenants, limited_to
from dashboard.past.beside import beside, put
from dashboard.past.history import History, stored_of
from dashboard.past.tables import Tables

SNAPSHOTS: Final = 16
APART: Final = 1_000
"""Events between two snapshots at least: folding so many takes less than the pictures drawn from them."""
BATCH: Final = 2_000
MOST: Final = 500_000
"""Beyond so many records a run is not folded again for a page; `manage.py replay` does it at leisure."""
KEPT: Final = 300_000
"""Records of runs whose past one process keeps: some 1.5 kB each."""


class TooLong(CoordinationError):
    """The run has more records than are folded again while somebody waits."""

    code = "too_many_records"


class Place(msgspec.Struct, frozen=True):
    """A place in a run's past: after its first `count` events, the last of them at `at` (µs)."""

    past: "Past"
    count: int
    at: int

    @property
    def text(self) -> str:
        """Its position as people write it."""
        return self.past.history.positions[self.count - 1].text()

    @property
    def vector(self) -> dict[tuple[str, int], int]:
        """The next offset of each partition: what lies before it had happened."""
        return self.past.history.vector(self.count)


class Past:
    """The past of one run, for one thread at a time. Whoever asks was found to have the right to see the run: what is
    kept here is the same for all of them, whatever tenants they see.
    """

    def __init__(self, run_id: str) -> None:
        self.history = History(run_id)
        self._lock = threading.RLock()
        self._snapshots: dict[int, bytes] = {}
        self._tables: Tables | None = None
        self._count = 0
        self._beside: int | None = None

    @contextmanager
    def at(self, to: str) -> Iterator[Place]:
        """Inside, this thread reads the run's rows as they stood at a position. Raises BadPosition, TooLong."""
        with self.known() as history:
            count = history.count(to)
            with limited_to(_everybody), without_collector():
                tables = self._go(count)
                self._put_beside(tables, count)
            with tables.in_place():
                yield Place(self, count, history.positions[count - 1].at)

    @contextmanager
    def known(self) -> Iterator[History]:
        """The history up to what is stored now. Raises TooLong."""
        with self._lock:
            with limited_to(_everybody), without_collector():
                self._refresh()
            yield self.history

    def _refresh(self) -> None:
        records = stored_of(self.history.run_id).records
        if records > MOST:
            raise TooLong(
                f"The run has {records:,} records; up to {MOST:,} are folded again for a page. "
                f"`manage.py replay {self.history.run_id} --to POSITION` does it."
            )
        kept = self.history.refresh()
        self._snapshots = {count: content for count, content in self._snapshots.items() if count <= kept}
        if self._count > kept:
            self._leave()

    def forget(self) -> None:
        """Let go of what is in memory, unless somebody is there."""
        if self._lock.acquire(blocking=False):
            self._leave()
            self._lock.release()

    def _leave(self) -> None:
        if self._tables is not None:
            self._tables.close()
        self._tables, self._count, self._beside = None, 0, None

    def _go(self, count: int) -> Tables:
        start = max((one for one in self._snapshots if one <= count), default=0)
        tables = self._tables
        if tables is None or not start <= self._count <= count:
            tables = self._thaw(start)
        apart = max(APART, len(self.history) // SNAPSHOTS)
        while self._count < count:
            start = max((one for one in self._snapshots if one <= self._count), default=0)
            self._fold(tables, min(count, start + apart, self._count + BATCH))
            if self._count == start + apart:
                self._snapshots[self._count] = tables.frozen()
        return tables

    def _thaw(self, count: int) -> Tables:
        self._leave()
        self._tables, self._count = Tables(self._snapshots.get(count)), count
        store = SqliteStore()
        self._working = WorkingSet(store, layout())
        self._writer = RowWriter(store, self._working)
        return self._tables

    def _fold(self, tables: Tables, upto: int) -> None:
        events = self.history.events(self._count, upto)
        with tables.to_fill(), transaction.atomic():
            touched = self._writer.fold(events)
            self._writer.summarise(touched.runs)
        self._working.used(touched)
        self._count, self._beside = upto, None

    def _put_beside(self, tables: Tables, count: int) -> None:
        """At the end of the run these rows are the live ones, so they may change while the place does not."""
        last = count == len(self.history)
        if self._beside == count and not last:
            return
        kept = beside(self.history.run_id, None if last else self.history.positions[count - 1].at)
        with tables.to_fill(), transaction.atomic():
            put(kept)
        self._beside = count


def _everybody() -> Tenants:
    return None


_pasts: OrderedDict[tuple[str, str], Past] = OrderedDict()
_lock: Final = threading.Lock()


def past_of(run_id: str) -> Past:
    """The past of a run, as far as this process has it; those looked at longest ago are let go."""
    key = str(connection.settings_dict["NAME"]), run_id
    with _lock:
        past = _pasts.setdefault(key, Past(run_id))
        _pasts.move_to_end(key)
        held = sum(len(one.history) for one in _pasts.values())
        while held > KEPT and len(_pasts) > 1:
            _, oldest = _pasts.popitem(last=False)
            held -= len(oldest.history)
            oldest.forget()
    return past


def forget() -> None:
    """Let go of everything: the tables are others now."""
    with _lock:
        for past in _pasts.values():
            past.forget()
        _pasts.clear()
