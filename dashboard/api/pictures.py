"""API calls that answer with a picture of a run: its graph and its joins."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from dashboard.api.graphpage import graph_page
from dashboard.api.joinlist import join_page
from dashboard.api.root import allowed, api
from dashboard.api.shapes import GraphShape, JoinPage
from dashboard.models import Run
from dashboard.permissions import may_see_runs


@api.get("runs/{path:run_id}/graph", response=GraphShape, tags=["runs"])
@allowed(may_see_runs)
def graph(request: HttpRequest, run_id: str, open: str = "") -> dict[str, Any]:  # noqa: A002  # the API's name
    """The graph of a run, folded: at most 400 drawn elements, however many tasks it has. `open` holds the keys of
    folds to open, parted by commas: their members are marks, or the folds they were folded again of."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    return graph_page(run_id, [key for key in open.split(",") if key])


@api.get("runs/{path:run_id}/joins", response=JoinPage, tags=["runs"])
@allowed(may_see_runs)
def joins(request: HttpRequest, run_id: str, fanout: str | None = None) -> dict[str, Any]:
    """The joins of a run, open ones first. `fanout` asks for one of them, exact whatever its size."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    return join_page(run_id, fanout)
