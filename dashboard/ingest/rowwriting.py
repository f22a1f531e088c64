"""Folding events into the tables: load what they touch, fold, write back what changed."""

from collections.abc import Sequence
from typing import Any

from coordination.event import Event
from coordination.projection import fold
from coordination.rows import Touched
from dashboard.ingest.store import Store
from dashboard.ingest.summary import run_values
from dashboard.ingest.tables import AGENTS, FAN_OUTS, FOLD_PARTS, REQUESTS, RUN_PARTS, TASKS
from dashboard.ingest.working import WorkingSet


class RowWriter:
    """Writes rows inside the transaction of whoever calls. `owned`: our shards where other workers own some too;
    None while all are ours and nobody else writes parts of runs."""

    def __init__(self, store: Store, working: WorkingSet) -> None:
        self._store = store
        self._working = working
        self.owned: frozenset[str] | None = None

    def fold(self, events: Sequence[Event], *, lock: bool = False) -> Touched:
        """Fold events into their rows and write those. Raises Conflict, then or in `settle`."""
        working, store = self._working, self._store
        working.load_for(events, lock=lock)
        rows = working.rows
        touched = fold(rows, events)
        working.enter_parts(touched.run_parts)
        for table, known, keys in (
            (TASKS, rows.tasks, touched.tasks),
            (RUN_PARTS, rows.run_parts, touched.run_parts),
            (FOLD_PARTS, rows.fold_parts, touched.fold_parts),
            (FAN_OUTS, rows.fan_outs, touched.fan_outs),
            (REQUESTS, rows.requests, touched.requests),
            (AGENTS, rows.agents, touched.agents),
        ):
            if keys:
                # In key order, so that two workers that write the same rows wait for each other, never both.
                store.save(table, [known[key] for key in sorted(keys)])  # type: ignore[index,misc]
        if touched.gone:
            store.forget_folds(sorted(touched.gone))
        return touched

    def summarise(self, run_ids: set[str]) -> dict[str, tuple[Any, ...]]:
        """Derive the summaries of these runs, whose parts were just written, and write them."""
        if not run_ids:
            return {}
        working = self._working
        if self.owned is not None:
            working.refresh(self._store.load_parts(sorted(run_ids), sorted(self.owned)))
        runs = {run_id: run_values(working.parts_of(run_id)) for run_id in sorted(run_ids)}
        self._store.save_runs(list(runs.values()))
        return runs
