"""API calls that measure a run: where its time went, and the scrubber's marks."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from dashboard.api.delaylist import delay_row
from dashboard.api.marklist import mark_page
from dashboard.api.recordshapes import MarkPage
from dashboard.api.root import allowed, api
from dashboard.api.shapes import DelayShape
from dashboard.models import Run
from dashboard.past import as_of
from dashboard.permissions import may_see_runs


@api.get("runs/{path:run_id}/delays", response=DelayShape, tags=["runs"])
@allowed(may_see_runs)
def delays(request: HttpRequest, run_id: str, at: str | None = None) -> dict[str, Any]:
    """Where the time of a run went: the critical path, the parts that sum to its wall time, the slack of inputs
    that nearly gated it, and what it would have saved to do without a part."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at) as moment:
        return delay_row(get_object_or_404(Run, run_id=run_id), moment.now)


@api.get("runs/{path:run_id}/positions", response=MarkPage, tags=["runs"])
@allowed(may_see_runs)
def positions(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """The scrubber's marks: positions, with how many states changed and how many tasks failed up to each."""
    return mark_page(get_object_or_404(Run, run_id=run_id))
