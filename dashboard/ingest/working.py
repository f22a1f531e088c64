"""The working set: rows kept in memory from one batch to the next, so that a busy run is not read again and again.

It holds only rows of shards this worker owns, so nobody else writes them; the store notices where that is not so
(Conflict). It is bounded: the rows that were not touched for longest go first. After a failed transaction it is
ahead of the tables and must be forgotten.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from coordination.event import Event
from coordination.projection import keys_of, part_keys
from coordination.rows import Layout, Rows, Touched
from coordination.runs import RunPart
from dashboard.ingest.store import Store
from dashboard.ingest.tables import AGENTS, FAN_OUTS, FOLD_PARTS, REQUESTS, RUN_PARTS, TASKS, Table

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")
MAX_TASKS: Final = 20_000
MAX_PARTS: Final = 40_000
MAX_RUNS: Final = 4_000
MAX_OTHERS: Final = 5_000


class WorkingSet:
    """Rows by key, loaded when a batch needs them. `layout` says which shard a partition belongs to."""

    def __init__(self, store: Store, layout: Layout) -> None:
        self._store = store
        self.layout = layout
        self.forget()

    def forget(self) -> None:
        """Start anew with nothing in memory."""
        self.rows = Rows(self.layout)
        # The shards whose part of a run is in memory; a run that is here has all its parts there.
        self.runs: dict[str, set[str]] = {}

    def load_for(self, events: Sequence[Event], *, lock: bool) -> None:
        """Load the rows that a fold of these events needs; with `lock`, locked, whatever is in memory."""
        if lock:
            self.forget()
        rows, keys = self.rows, keys_of(events)
        self._fetch(TASKS, rows.tasks, keys.tasks, lock)
        self._fetch(FAN_OUTS, rows.fan_outs, keys.fan_outs, lock)
        self._fetch(REQUESTS, rows.requests, keys.requests, lock)
        self._fetch(AGENTS, rows.agents, keys.agents, lock)
        parts = part_keys(rows, events)
        self._load_runs({run_id for run_id, _ in parts.run_parts})
        if lock:
            self._fetch(RUN_PARTS, rows.run_parts, parts.run_parts, lock)
        self._fetch(FOLD_PARTS, rows.fold_parts, parts.fold_parts, lock)

    def parts_of(self, run_id: str) -> list[RunPart]:
        """All parts of a run that is in memory."""
        return [self.rows.run_parts[run_id, shard] for shard in self.runs[run_id]]

    def refresh(self, parts: Iterable[RunPart]) -> None:
        """Parts that others write, read again."""
        for part in parts:
            self.rows.run_parts[part.run_id, part.shard] = part
            self.runs.setdefault(part.run_id, set()).add(part.shard)

    def enter_parts(self, keys: Iterable[tuple[str, str]]) -> None:
        """Note which parts of runs a fold made or changed."""
        for run_id, shard in keys:
            self.runs.setdefault(run_id, set()).add(shard)

    def used(self, touched: Touched) -> None:
        """Note what a batch touched, and let go of what was not touched for longest."""
        rows = self.rows
        for run_id in touched.runs:
            self.runs[run_id] = self.runs.pop(run_id)
        _renew(rows.tasks, touched.tasks, MAX_TASKS)
        _renew(rows.fold_parts, touched.fold_parts, MAX_PARTS)
        _renew(rows.fan_outs, touched.fan_outs, MAX_OTHERS)
        _renew(rows.requests, touched.requests, MAX_OTHERS)
        _renew(rows.agents, touched.agents, MAX_OTHERS)
        while len(self.runs) > MAX_RUNS:
            run_id = next(iter(self.runs))
            for shard in self.runs.pop(run_id):
                del rows.run_parts[run_id, shard]

    def _fetch(self, table: Table[Any], known: dict[Any, Any], keys: Iterable[Any], lock: bool) -> None:
        missing = sorted(keys) if lock else [key for key in keys if key not in known]
        if missing:
            key_of: Callable[[Any], Any] = table.key_of
            for row in self._store.load(table, missing, lock=lock):
                known[key_of(row)] = row

    def _load_runs(self, run_ids: Iterable[str]) -> None:
        unknown = [run_id for run_id in run_ids if run_id not in self.runs]
        if unknown:
            self.runs.update((run_id, set()) for run_id in unknown)
            self.refresh(self._store.load_parts(unknown))


def _renew(rows: dict[Key, Row], touched: Iterable[Key], most: int) -> None:
    for key in touched:
        rows[key] = rows.pop(key)
    for key in list(islice(rows, max(0, len(rows) - most))):
        del rows[key]
