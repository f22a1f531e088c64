"""API calls about runs and their tasks."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from dashboard.api.foldlist import fold_page
from dashboard.api.matchlist import folds_with, match_page
from dashboard.api.paging import size
from dashboard.api.root import allowed, api
from dashboard.api.runlist import run_page
from dashboard.api.shapes import FoldPage, MatchShape, RunPage, TaskPage
from dashboard.api.tasklist import filtered, task_page
from dashboard.clock import database_now
from dashboard.models import Run
from dashboard.past import as_of
from dashboard.permissions import may_see_runs


@api.get("runs", response=RunPage, tags=["runs"])
@allowed(may_see_runs)
def runs(request: HttpRequest, query: str = "", cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
    """Runs, newest first. `query` is a query line: `state:live,failed agent:coder age<1d words`. Where the tasks of
    runs are looked at (`wait.broker>2s`) a page may be short and yet have a next one."""
    return run_page(query, cursor, size(limit), database_now())


@api.get("runs/{path:run_id}/tasks", response=TaskPage, tags=["runs"])
@allowed(may_see_runs)
def tasks(
    request: HttpRequest,
    run_id: str,
    query: str = "",
    fold: str | None = None,
    fanout: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
    at: str | None = None,
) -> dict[str, Any]:
    """Tasks of a run: failed first, then whoever waits for a person, then the rest. `query` is a query line:
    `state:failed agent:coder wait.broker>2s caused-by:<task>`; where bodies are looked at a page may be short and yet
    have a next one. `fold` and `fanout` keep the members of one; `at` asks for them as of a position of the run."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at) as moment:
        now = moment.now
        return task_page(filtered(run_id, query, fold, fanout, now=now), cursor, size(limit), now)


@api.get("runs/{path:run_id}/folds", response=FoldPage, tags=["runs"])
@allowed(may_see_runs)
def folds(request: HttpRequest, run_id: str, query: str = "", at: str | None = None) -> dict[str, Any]:
    """Alike tasks of a run, counted by state: one row a fold, first seen first. With a `query` those that hold a
    task it asks for."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at) as moment:
        keys = folds_with(filtered(run_id, query, now=moment.now)) if query.strip() else None
        return fold_page(run_id, keys)


@api.get("runs/{path:run_id}/matches", response=MatchShape, tags=["runs"])
@allowed(may_see_runs)
def matches(
    request: HttpRequest,
    run_id: str,
    query: str = "",
    open: str = "",  # noqa: A002  # the API's name
    at: str | None = None,
) -> dict[str, Any]:
    """Which boxes of the graph hold tasks that a query line asks for, and how many. `open` and `at` as for the
    graph."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at) as moment:
        found = filtered(run_id, query, now=moment.now)
        return match_page(run_id, found, [key for key in open.split(",") if key])
