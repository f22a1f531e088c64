"""API call that compares two runs. Its address looks like a run's; it is registered before that one."""

from typing import Any, Literal

from django.http import HttpRequest

from dashboard.api.comparepage import TYPICAL, compare_page
from dashboard.api.pictureshapes import ComparisonShape, WorkflowPage
from dashboard.api.root import allowed, api
from dashboard.clock import database_now
from dashboard.permissions import may_see_runs


@api.get("runs/compare", response=ComparisonShape, tags=["runs"])
@allowed(may_see_runs)
def compare(request: HttpRequest, b: str, a: str = TYPICAL) -> dict[str, Any]:
    """Run `b` against run `a`, or against the medians of the last 20 successes of its workflow (`a=median`). Tasks
    are matched by their path, not by id; `parts` are the difference by delay part and sum to `change_ms`."""
    return compare_page(a, b, database_now())


@api.get("runs/compare/{part}", response=WorkflowPage, tags=["runs"])
@allowed(may_see_runs)
def compared(
    request: HttpRequest, part: Literal["parts", "steps", "tasks"], b: str, a: str = TYPICAL
) -> dict[str, Any]:
    """One table of a comparison: delay parts, steps, or tasks that differ (the worst 200)."""
    return {"items": compare_page(a, b, database_now())[part], "next": None}
