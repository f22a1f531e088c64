"""API calls about query lines: what to go on with, and the lines that people keep."""

from typing import Any, Literal

from django.http import HttpRequest

from coordination.subjects import SUBJECTS
from dashboard.api.completion import completions
from dashboard.api.queryshapes import CompletionPage, ViewBody, ViewPage, ViewShape
from dashboard.api.root import access, allowed, api
from dashboard.api.savedviews import SEEN_BY, drop, keep, view_rows
from dashboard.permissions import may_see_runs, require

On = Literal["runs", "tasks", "events", "approvals", "letters", "audit", "agents"]


@api.get("completions", response=CompletionPage, tags=["query"])
@allowed(may_see_runs)
def complete(
    request: HttpRequest, on: On = "runs", query: str = "", caret: int | None = None, run: str = ""
) -> dict[str, Any]:
    """How a query line about `on` may go on at `caret` (its end, if nothing is said): keys, and values that are
    there. `run` keeps values to those of one run."""
    require(access(request).user, SEEN_BY[on])
    return completions(SUBJECTS[on], query, len(query) if caret is None else caret, run)


@api.get("views", response=ViewPage, tags=["query"])
@allowed(may_see_runs)
def views(request: HttpRequest, page: On = "runs") -> dict[str, Any]:
    """Query lines kept for a page: one's own and those that others share."""
    require(access(request).user, SEEN_BY[page])
    return {"items": view_rows(access(request).user, page), "next": None}


@api.post("views", response={201: ViewShape}, tags=["query"])
@allowed(may_see_runs, "views")
def keep_view(request: HttpRequest, body: ViewBody) -> tuple[int, dict[str, Any]]:
    """Keep a query line under a name; the same name again replaces it. 400 points at what is not understood."""
    user = access(request).user
    require(user, SEEN_BY[body.page])
    return 201, keep(user, body.page, body.name, body.query, body.shared)


@api.delete("views/{int:number}", response={200: ViewPage}, tags=["query"])
@allowed(may_see_runs, "views")
def drop_view(request: HttpRequest, number: int) -> dict[str, Any]:
    """Delete one's own view."""
    drop(access(request).user, number)
    return {"items": [], "next": None}
