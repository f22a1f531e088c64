"""API call about one run. Its address is a prefix of others, so it is registered after them."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from dashboard.api.root import allowed, api
from dashboard.api.runlist import judged
from dashboard.api.shapes import RunShape
from dashboard.api.whereabouts import whereabouts
from dashboard.models import Run
from dashboard.past import as_of
from dashboard.permissions import may_see_runs


@api.get("runs/{path:run_id}", response=RunShape, tags=["runs"])
@allowed(may_see_runs)
def run(request: HttpRequest, run_id: str, at: str | None = None) -> dict[str, Any]:
    """One run; `at` asks for it as of one of its positions, and where that is among the others."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at) as moment:
        row = judged([get_object_or_404(Run, run_id=run_id)])[0]
        return row | ({"as_of": whereabouts(moment.place)} if moment.place else {})
