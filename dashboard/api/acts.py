"""API call: steer a task. What is asked for goes through the outbox; what comes of it is the agents' fact."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from dashboard.api.addresses import task_address
from dashboard.api.askshapes import ActBody, ActShape
from dashboard.api.deciding import told
from dashboard.api.instants import iso
from dashboard.api.root import access, allowed, api
from dashboard.models import Task
from dashboard.permissions import may_steer
from dashboard.steering import steer


@api.post("runs/{path:run_id}/tasks/{path:task_id}/acts", response={202: ActShape}, tags=["runs"])
@allowed(may_steer, "steer")
def acts(request: HttpRequest, run_id: str, task_id: str, body: ActBody) -> tuple[int, dict[str, Any]]:
    """Cancel a task, retry it as a new task, or compensate it. 202: saved, and sent by itself; the same act again
    is the same act. 403 says why it makes no sense now."""
    found = get_object_or_404(Task, run_id=run_id, task_id=task_id)
    saved = told(lambda: steer(found, body.act, access(request).user, reason=body.reason))
    return 202, {
        "act": saved.act,
        "task_id": saved.task_id,
        "saved_at": iso(saved.saved_at),
        "new_task_id": saved.new_task_id or None,
        "new_task_url": task_address(run_id, saved.new_task_id) if saved.new_task_id else None,
    }
