"""What commits changed, on its way to those who watch: collected over batches, made into rows a few times a second.

Rows are made of what is in memory at that moment, so a task that changed five times is told once, and only of what
somebody watches, as far as this process knows.
"""

from collections.abc import Iterable
from typing import Any, Final

from coordination.rows import Touched
from dashboard import live
from dashboard.api.queue import rows_of
from dashboard.api.rows import task_row
from dashboard.api.runlist import with_asks
from dashboard.clock import database_now
from dashboard.ingest.folds import fold_rows
from dashboard.ingest.summary import run_of
from dashboard.ingest.working import WorkingSet
from dashboard.ingest.writing import Written
from dashboard.models import Request, Run

MOST_TASKS: Final = 300
"""Tasks of one run told at once. Above that a page shows its folds, and asks the API for single tasks."""


class Changes:
    """Collects what was touched; `publish` tells it. For the thread that writes."""

    def __init__(self, working: WorkingSet) -> None:
        self._working = working
        self._runs: dict[str, tuple[Any, ...]] = {}
        self._touched = Touched()
        self._unwatched: set[str] = set()

    @property
    def waiting(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._runs or self._unwatched or self._touched.requests)

    def note(self, written: Written) -> None:
        """A batch was committed."""
        touched, mine = written.touched, self._touched
        mine.requests |= touched.requests
        watched = {run_id for run_id in written.runs if live.wanted(f"run:{run_id}")}
        self._unwatched |= written.runs.keys() - watched
        board = live.wanted("board")
        self._runs.update((run_id, run) for run_id, run in written.runs.items() if board or run_id in watched)
        if watched:
            mine.tasks |= {key for key in touched.tasks if key[0] in watched}
            mine.fold_parts |= {key for key in touched.fold_parts if key[0] in watched}
            mine.gone |= {key for key in touched.gone if key[0] in watched}
            mine.fan_outs |= {key for key in touched.fan_outs if key[0] in watched}

    def publish(self) -> None:
        """Tell what was collected, and forget it."""
        touched, self._touched = self._touched, Touched()
        runs, self._runs = self._runs, {}
        unwatched, self._unwatched = self._unwatched, set()
        told = {run.run_id: row for run, row in _rows(runs.values())}
        if told and live.wanted("board"):
            live.publish("board", list(told.values()))
        elif unwatched or told:
            live.mention("board")
        for run_id in told.keys() | unwatched:
            if run_id in told and live.wanted(f"run:{run_id}"):
                # Watched since a moment only: what was not collected before is for the API to tell.
                self._publish_run(run_id, told[run_id], touched, whole=run_id not in unwatched)
            else:
                live.mention(f"run:{run_id}")
        if touched.requests and live.wanted("approvals"):
            requests = Request.objects.filter(approval_id__in=touched.requests)
            live.publish("approvals", rows_of(requests, database_now()))
        elif touched.requests:
            live.mention("approvals")

    def _publish_run(self, run_id: str, row: dict[str, Any], touched: Touched, *, whole: bool) -> None:
        tasks = self._working.rows.tasks
        keys = [key for key in touched.tasks if key[0] == run_id]
        shown = [tasks[key] for key in keys[:MOST_TASKS] if key in tasks]
        folds = {key[1] for key in (*touched.fold_parts, *touched.gone) if key[0] == run_id}
        rows, gone = fold_rows(run_id, folds)
        joins = {fanout_id for about, fanout_id in touched.fan_outs if about == run_id}
        joins |= {task.fanout_id for task in shown if task.fanout_id}
        live.publish(
            f"run:{run_id}",
            [
                row,
                *rows,
                *({"kind": "join", "id": name, "revision": row["revision"]} for name in sorted(joins)),
                *(task_row(task) for task in shown),
            ],
            gone,
            whole=whole and len(shown) == len(keys),
        )


def _rows(written: Iterable[tuple[Any, ...]]) -> list[tuple[Run, dict[str, Any]]]:
    runs = [run_of(values) for values in written]
    return list(zip(runs, with_asks(runs), strict=True)) if runs else []
