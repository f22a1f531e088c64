"""How many tasks each pending request holds up: "blocks n tasks" in the queue and on the review page.

Counted here, now and then, and kept in the approval's row, so that no page has to walk a graph.
"""

from typing import Final

from coordination.blocking import blocked_by
from coordination.tasks import OPEN
from dashboard.api.taskbody import task_of
from dashboard.approvals.announcement import tell
from dashboard.approvals.review import touch
from dashboard.models import Approval, Task

RUNS: Final = 50
TASKS: Final = 5_000
"""Open tasks of one run that are looked at; of a run with more it stays unknown how many wait."""


class Blocking:
    """Counts for some runs with pending requests, one page of runs a call."""

    def __init__(self) -> None:
        self._after = ""

    def count(self) -> int:
        """Count for the next runs; returns how many requests have another number than before."""
        pending = Approval.objects.filter(state=Approval.State.PENDING).exclude(run_id="")
        runs = list(
            pending.filter(run_id__gt=self._after).order_by("run_id").values_list("run_id", flat=True).distinct()[:RUNS]
        )
        self._after = runs[-1] if len(runs) == RUNS else ""
        changed = [approval_id for run_id in runs for approval_id in _counted(run_id)]
        if changed:
            tell(changed)
        return len(changed)


def _counted(run_id: str) -> list[str]:
    open_tasks = list(Task.objects.filter(run_id=run_id, state__in=sorted(OPEN))[: TASKS + 1])
    tasks = [task_of(row) for row in open_tasks] if len(open_tasks) <= TASKS else None
    changed = []
    for approval in Approval.objects.filter(run_id=run_id, state=Approval.State.PENDING):
        blocks = None if tasks is None else len(blocked_by(approval.task_id, tasks))
        if blocks != approval.blocks:
            Approval.objects.filter(pk=approval.pk).update(blocks=blocks)
            touch(approval.approval_id)
            changed.append(approval.approval_id)
    return changed
