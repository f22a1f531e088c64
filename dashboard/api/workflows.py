"""API calls about workflows: which there are, and how the last runs of one went."""

from typing import Any

from django.http import HttpRequest

from dashboard.api.pictureshapes import WorkflowPage, WorkflowShape
from dashboard.api.root import allowed, api
from dashboard.api.workflowpage import workflow_page, workflow_rows
from dashboard.permissions import may_see_runs


@api.get("workflows", response=WorkflowPage, tags=["workflows"])
@allowed(may_see_runs)
def workflows(request: HttpRequest) -> dict[str, Any]:
    """Workflows, the one that ran last first."""
    return {"items": workflow_rows(), "next": None}


@api.get("workflows/{path:workflow}/runs", response=WorkflowPage, tags=["workflows"])
@allowed(may_see_runs)
def workflow_runs(request: HttpRequest, workflow: str) -> dict[str, Any]:
    """The last 50 runs of a workflow, oldest first: state, duration, failed tasks, tokens, cost."""
    return {"items": workflow_page(workflow)["runs"], "next": None}


@api.get("workflows/{path:workflow}", response=WorkflowShape, tags=["workflows"])
@allowed(may_see_runs)
def workflow(request: HttpRequest, workflow: str) -> dict[str, Any]:
    """A workflow over its last 50 runs: duration, failures, tokens and cost as figures, and the run × step matrix."""
    return workflow_page(workflow)
