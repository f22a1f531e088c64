"""Workflow: how do the runs of this workflow go over time, and which step fails?"""

from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse

from dashboard.api.problems import Problem
from dashboard.api.workflowpage import workflow_page
from dashboard.permissions import may_see_runs, needs
from dashboard.views.page import page


@needs(may_see_runs)
def workflow(request: HttpRequest, workflow: str) -> HttpResponse:
    """Trend and matrix of the last runs."""
    try:
        found = workflow_page(workflow)
    except Problem as problem:
        raise Http404(problem.detail) from problem
    return page(
        request, "workflow.html", "runs", found=found, file=f"/api/v1/workflows/{quote(workflow, safe='')}/runs?"
    )
