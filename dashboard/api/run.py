"""API call about one run. Its address is a prefix of others, so it is registered after them."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from dashboard.api.root import allowed, api
from dashboard.api.runlist import with_asks
from dashboard.api.shapes import RunShape
from dashboard.models import Run
from dashboard.permissions import may_see_runs


@api.get("runs/{path:run_id}", response=RunShape, tags=["runs"])
@allowed(may_see_runs)
def run(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """One run."""
    return with_asks([get_object_or_404(Run, run_id=run_id)])[0]
