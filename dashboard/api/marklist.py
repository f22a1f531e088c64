"""The scrubber's marks of a run: stretches of time with the states that changed in them, failures apart.

A mark's position is that of its last event, as `manage.py replay` and `at=` take it.
"""

from collections.abc import Iterable
from typing import Any, Final

from coordination.instants import rfc3339
from coordination.replay import Step, in_order, steps
from coordination.tasks import FAILING
from dashboard.api.instants import iso
from dashboard.events import decoded, records_of_run
from dashboard.models import Run, Segment, Task

MARKS: Final = 240
# Up to so many records a run is folded event by event; of more than that, marks are counted out of the tables.
FOLDED: Final = 50_000


def mark_page(run: Run) -> dict[str, Any]:
    """The marks of a run, oldest first; `exact` tells whether they were folded or counted."""
    exact = run.events <= FOLDED
    items = _folded(run.run_id) if exact else _counted(run)
    return {"items": items, "next": None, "exact": exact}


def _folded(run_id: str) -> list[dict[str, Any]]:
    return grouped(steps(in_order(decoded(records_of_run(run_id)))))


def grouped(found: Iterable[Step]) -> list[dict[str, Any]]:
    """At most MARKS marks of equal length in time, empty ones left out."""
    changed = [step for step in found if step.changes]
    if not changed:
        return []
    first, last = changed[0].position.at, changed[-1].position.at
    width = max(1, (last - first) // MARKS + 1)
    marks: dict[int, dict[str, Any]] = {}
    for step in changed:
        mark = marks.setdefault((step.position.at - first) // width, {"changed": 0, "failed": 0})
        mark["position"] = step.position.text()
        mark["time"] = rfc3339(step.position.at)
        mark["changed"] += len(step.changes)
        mark["failed"] += step.failures
    return list(marks.values())


def _counted(run: Run) -> list[dict[str, Any]]:
    """Records instead of changes, by the instants of segments; failures by when tasks ended."""
    rows = Segment.objects.filter(run_id=run.run_id).values_list("last_at", "records")
    spans = sorted(rows)
    if not spans:
        return []
    first, last = spans[0][0], spans[-1][0]
    width = max(1, (last - first) // MARKS + 1)
    marks: dict[int, dict[str, Any]] = {}
    for at, records in spans:
        mark = marks.setdefault((at - first) // width, {"changed": 0, "failed": 0})
        mark["changed"] += records
        mark["time"] = mark["position"] = iso(at)
    failed = Task.objects.filter(run_id=run.run_id, state__in=FAILING, ended_at__isnull=False)
    for ended_at in failed.values_list("ended_at", flat=True):
        place = ((ended_at or 0) - first) // width
        if place in marks:
            marks[place]["failed"] += 1
    return [marks[place] for place in sorted(marks)]
