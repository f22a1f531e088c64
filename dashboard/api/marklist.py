"""The scrubber's marks of a run: stretches of time with the states that changed in them, failures apart.

A mark's position is that of its last event, as `manage.py replay` and `at=` take it. Stretches in which nothing
changed for long are cut out, so that a night of waiting leaves room for the minutes that matter.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from django.db.models import Count, F, Max

from coordination.instants import rfc3339
from coordination.tasks import FAILING
from dashboard.api.density import cuts
from dashboard.api.phases import millis
from dashboard.manifest import layout
from dashboard.models import Run, Segment, Task
from dashboard.past import past_of

MARKS: Final = 240
# Up to so many records a run is folded event by event; of more than that, marks are counted out of the tables.
FOLDED: Final = 20_000
# A stretch without any change is cut if it is at least this part of the whole.
IDLE: Final = 0.1
Gap = tuple[int, int]


class Change(NamedTuple):
    """At an instant (µs) so many states changed and so many tasks failed; `position` in words, if it is known."""

    at: int
    changed: int
    failed: int
    position: str = ""


def mark_page(run: Run) -> dict[str, Any]:
    """The marks of a run, oldest first, with the span they lie in; `cuts` are idle stretches of it in milliseconds
    since `start`. `exact` tells whether events were folded or records counted."""
    exact = run.events <= FOLDED
    changes = _folded(run.run_id) if exact else _counted(run)
    if not changes:
        return {"items": [], "next": None, "exact": exact, "start": None, "end": None, "span_ms": 0.0, "cuts": []}
    start, end = changes[0].at, max(changes[-1].at, run.ended_at or 0)
    gaps = cuts(start, end, ((one.at, one.at) for one in changes), IDLE)
    return {
        "items": grouped(changes, gaps),
        "next": None,
        "exact": exact,
        "start": rfc3339(start),
        "end": rfc3339(end),
        "span_ms": millis(end - start),
        "cuts": [[millis(low - start), millis(high - start)] for low, high in gaps],
    }


def _folded(run_id: str) -> list[Change]:
    with past_of(run_id).known() as history:
        history.tell(layout())
        rows = zip(history.positions, history.changed, history.failed, strict=True)
        return [Change(where.at, changed, failed, where.text()) for where, changed, failed in rows if changed]


def grouped(changes: Sequence[Change], gaps: Sequence[Gap] = ()) -> list[dict[str, Any]]:
    """At most MARKS marks of equal length in time, the gaps not counted; empty ones are left out."""
    first, last = changes[0].at, changes[-1].at
    kept = last - first - sum(high - low for low, high in gaps)
    width = max(1, -(-(kept + 1) // max(1, MARKS - len(gaps))))
    marks: dict[int, dict[str, Any]] = {}
    for change, column in zip(changes, _columns(changes, gaps, width), strict=True):
        mark = marks.setdefault(column, {"changed": 0, "failed": 0})
        mark["position"] = change.position or rfc3339(change.at)
        mark["time"] = rfc3339(change.at)
        mark["changed"] += change.changed
        mark["failed"] += change.failed
    return list(marks.values())


def _columns(changes: Sequence[Change], gaps: Sequence[Gap], width: int) -> Iterable[int]:
    """The column of each change: what stands after a gap never shares one with what stands before it."""
    left, start, column = list(gaps), changes[0].at, 0
    for change in changes:
        while left and change.at >= left[0][1]:
            low, high = left.pop(0)
            column, start = column + (low - start) // width + 1, high
        yield column + (change.at - start) // width


def _counted(run: Run) -> list[Change]:
    """Records instead of changes, by the instants of segments; failures by when tasks ended."""
    rows = Segment.objects.filter(run_id=run.run_id).values_list("last_at", "records")
    found = [Change(at, records, 0) for at, records in rows]
    if not found:
        return []
    width = max(1, (max(found).at - min(found).at) // MARKS)
    failed = Task.objects.filter(run_id=run.run_id, state__in=FAILING, ended_at__isnull=False)
    columns = failed.annotate(column=F("ended_at") / width).values("column")
    found += [Change(at, 0, count) for _, at, count in columns.values_list("column", Max("ended_at"), Count("task_id"))]
    return sorted(found)
