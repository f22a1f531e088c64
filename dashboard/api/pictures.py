"""API calls that answer with a picture of a run: graph, joins, timeline, and its time broken down.

`at` asks each of them for the picture as of a position of the run: topic-partition@offset, or a time.
"""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from dashboard.api.delaypage import delay_page, task_delays
from dashboard.api.graphpage import graph_page
from dashboard.api.joinlist import join_page
from dashboard.api.matchlist import fan_outs_with
from dashboard.api.pictureshapes import BreakdownShape, TimelineShape
from dashboard.api.root import allowed, api
from dashboard.api.shapes import GraphShape, JoinPage
from dashboard.api.taskbody import task_of
from dashboard.api.tasklist import filtered
from dashboard.api.timelinepage import timeline_page
from dashboard.models import Run, Task
from dashboard.past import as_of
from dashboard.permissions import may_see_runs


@api.get("runs/{path:run_id}/graph", response=GraphShape, tags=["runs"])
@allowed(may_see_runs)
def graph(
    request: HttpRequest,
    run_id: str,
    open: str = "",  # noqa: A002  # the API's name
    at: str | None = None,
) -> dict[str, Any]:
    """The graph of a run, folded: at most 400 drawn elements, however many tasks it has. `open` holds the keys of
    folds to open, parted by commas: their members are marks, or the folds they were folded again of."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at):
        return graph_page(run_id, [key for key in open.split(",") if key])


@api.get("runs/{path:run_id}/joins", response=JoinPage, tags=["runs"])
@allowed(may_see_runs)
def joins(
    request: HttpRequest, run_id: str, fanout: str | None = None, query: str = "", at: str | None = None
) -> dict[str, Any]:
    """The joins of a run, open ones first. `fanout` asks for one of them, exact whatever its size; with a `query`
    those that have a branch it asks for."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at) as moment:
        ids = fan_outs_with(filtered(run_id, query, now=moment.now)) if query.strip() else None
        return join_page(run_id, fanout, ids)


@api.get("runs/{path:run_id}/timeline", response=TimelineShape, tags=["runs"])
@allowed(may_see_runs)
def timeline(request: HttpRequest, run_id: str, at: str | None = None) -> dict[str, Any]:
    """The timeline of a run: rows by agent group, folded like the graph; critical path; lag of its groups.
    Instants are milliseconds since `start`."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at) as moment:
        return timeline_page(get_object_or_404(Run, run_id=run_id), moment.now)


@api.get("runs/{path:run_id}/breakdown", response=BreakdownShape, tags=["runs"])
@allowed(may_see_runs)
def breakdown(request: HttpRequest, run_id: str, task: str = "", at: str | None = None) -> dict[str, Any]:
    """Where the time went, ranked and in words: what the critical path waited for, by phase and agent group, with
    what the run would have taken without each phase. `task` asks for the phases of one task instead."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at) as moment:
        if task:
            return task_delays(task_of(get_object_or_404(Task, run_id=run_id, task_id=task)), moment.now)
        return delay_page(get_object_or_404(Run, run_id=run_id), moment.now)
