"""The task page: why did this fail, or why is it late?"""

from typing import Final

from django.http import HttpRequest, HttpResponse

from dashboard.api.eventlist import event_row
from dashboard.api.taskbody import task_of
from dashboard.api.tasklist import task_rows
from dashboard.api.taskpage import about, alike
from dashboard.api.toolcalls import calls
from dashboard.clock import database_now
from dashboard.events import events_of_task
from dashboard.models import Run, Task
from dashboard.permissions import may_see_payloads, may_see_runs, may_steer, needs
from dashboard.views.page import one, page

EVENTS: Final = 200


@needs(may_see_runs)
def task(request: HttpRequest, run_id: str, task_id: str) -> HttpResponse:
    """One task: why it waits, attempts, error, causal chain, where the time went."""
    found = one(
        Task.objects.filter(run_id=run_id, task_id=task_id), f"No task {task_id} of run {run_id} has been read."
    )
    whole, now = task_of(found), database_now()
    row = task_rows([found], now)[0]
    events = events_of_task(run_id, task_id)
    return page(
        request,
        "task.html",
        "runs",
        now=now,
        run=Run.objects.filter(run_id=run_id).first(),
        task=whole,
        row=row,
        waiting=row.get("waiting"),
        about=about(whole, now),
        alike=alike(found),
        events=[event_row(event) for event in events[:EVENTS]],
        more_events=len(events) > EVENTS,
        calls=calls(events)[:EVENTS],
        may_see_payloads=may_see_payloads(request.user),
        may_steer=may_steer(request.user),
    )
