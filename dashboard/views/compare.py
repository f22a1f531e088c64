"""Compare: what was different this time?"""

from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from dashboard.api.comparepage import TYPICAL, candidates, compare_page
from dashboard.api.problems import Problem
from dashboard.clock import database_now
from dashboard.models import Run
from dashboard.permissions import may_see_runs, needs
from dashboard.views.page import page

TABLES: Final = ("parts", "steps", "tasks")


@needs(may_see_runs)
def compare(request: HttpRequest) -> HttpResponse:
    """Run `b` beside run `a`, or beside the typical run of its workflow; a form to choose where one is missing."""
    now = database_now()
    before, after = request.GET.get("a", "").strip(), request.GET.get("b", "").strip()
    found, wrong, status = None, "", 200
    if after:
        try:
            found = compare_page(before or TYPICAL, after, now)
        except Problem as problem:
            wrong, status = problem.detail, problem.status
    run = Run.objects.filter(run_id=after).first() if after else None
    return page(
        request,
        "compare.html",
        "runs",
        status=status if wrong else 200,
        now=now,
        before=before or TYPICAL,
        after=after,
        found=found,
        wrong=wrong,
        candidates=found["candidates"] if found else candidates(run) if run else [],
        files={part: f"/api/v1/runs/compare/{part}?{urlencode({'a': before, 'b': after})}&" for part in TABLES},
        newest=[] if run else Run.objects.order_by("-first_at")[:20],
    )
