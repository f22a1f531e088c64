"""API calls about runs and their tasks."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from dashboard.api.foldlist import fold_page
from dashboard.api.paging import size
from dashboard.api.root import allowed, api
from dashboard.api.runlist import run_page
from dashboard.api.shapes import FoldPage, RunPage, TaskPage
from dashboard.api.tasklist import filtered, task_page
from dashboard.models import Run
from dashboard.past import as_of
from dashboard.permissions import may_see_runs


@api.get("runs", response=RunPage, tags=["runs"])
@allowed(may_see_runs)
def runs(request: HttpRequest, query: str = "", cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
    """Runs, newest first. `query`: `state:live,failed workflow:<name>` and words found in name or id."""
    return run_page(query, cursor, size(limit))


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
    """Tasks of a run: failed first, then whoever waits for a person, then the rest. `fold` and `fanout` keep the
    members of one; `at` asks for them as of a position of the run."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at) as moment:
        return task_page(filtered(run_id, query, fold, fanout), cursor, size(limit), moment.now)


@api.get("runs/{path:run_id}/folds", response=FoldPage, tags=["runs"])
@allowed(may_see_runs)
def folds(request: HttpRequest, run_id: str, at: str | None = None) -> dict[str, Any]:
    """Alike tasks of a run, counted by state: one row a fold, first seen first."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at):
        return fold_page(run_id)
