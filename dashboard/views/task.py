"""The task page: why did this fail, or why is it late? And the same, in place, for board and run page."""

from typing import Any, Final

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from coordination.errors import CoordinationError
from coordination.instants import rfc3339
from coordination.replay import BadPosition
from dashboard.api.actrows import act_rows
from dashboard.api.carried import carried
from dashboard.api.eventlist import Vector, event_row, up_to
from dashboard.api.failurepage import alike_url, is_failed, origin, raw_records, redone
from dashboard.api.suspectlist import foreign, suspect_page
from dashboard.api.taskbody import task_of
from dashboard.api.tasklist import task_rows
from dashboard.api.taskpage import about, alike
from dashboard.api.tries import tries
from dashboard.clock import database_now
from dashboard.events import events_of_task
from dashboard.models import Run, RunPart, Task
from dashboard.past import Place, as_of
from dashboard.permissions import may_see_payloads, may_see_runs, may_steer, needs
from dashboard.policies import rules
from dashboard.views.page import page
from dashboard.views.run import run as run_page

EVENTS: Final = 200


@needs(may_see_runs)
def task(request: HttpRequest, run_id: str, task_id: str) -> HttpResponseBase:
    """One task: where its failure comes from, attempts, causal chain, raw records. `part=failure` gives that alone,
    to be shown in place."""
    found = _read_as(run_id, task_id)
    if isinstance(found, Run):
        return run_page(request, found.run_id)
    template = "parts/failure.html" if request.GET.get("part") == "failure" else "task.html"
    try:
        shown = _shown(request, found, request.GET.get("at"))
    except CoordinationError as error:
        shown = _shown(request, found, None) | {"astray": str(error)}
    return page(request, template, "runs", **shown)


def _shown(request: HttpRequest, found: Task, at: str | None) -> dict[str, Any]:
    """What the page shows of a task, as of a position of its run. Raises BadPosition, TooLong."""
    with as_of(found.run_id, at) as moment:
        place = moment.place
        if place is None:
            return {"now": moment.now, "alike": alike(found)} | _told(request, found, moment.now)
        then = Task.objects.filter(run_id=found.run_id, task_id=found.task_id).first()
        if then is None:
            raise BadPosition(f"Nothing was known of this task at {place.text}. This is how it stands now.")
        told = _told(request, then, moment.now, place.vector)
        told |= {"then": _then(place), "may_steer": False}
    # What happens to other runs, no position of this one tells.
    return told | {"now": database_now(), "alike": alike(then, moment.now)}


def _read_as(run_id: str, task_id: str) -> Task | Run:
    """What an address means. Servers undo the quoting of slashes, and an id may hold `/tasks/`, too: the first
    reading that exists counts, the longest run id first, the whole as a run's at last."""
    words = f"{run_id}/tasks/{task_id}".split("/tasks/")
    for split in range(len(words) - 1, 0, -1):
        run_part, task_part = "/tasks/".join(words[:split]), "/tasks/".join(words[split:])
        if (found := Task.objects.filter(run_id=run_part, task_id=task_part).first()) is not None:
            return found
    if (run := Run.objects.filter(run_id="/tasks/".join(words)).first()) is not None:
        return run
    raise Http404(f"No task {task_id} of run {run_id} has been read.")


def _then(place: Place) -> dict[str, Any]:
    """The position that a page stands at, in words."""
    return {
        "position": place.text,
        "at": place.at,
        "time": rfc3339(place.at),
        "count": place.count,
        "events": len(place.past.history),
    }


def _told(request: HttpRequest, found: Task, now: int, vector: Vector | None = None) -> dict[str, Any]:
    whole, payloads = task_of(found), may_see_payloads(request.user)
    run = Run.objects.filter(run_id=found.run_id).first()
    events = up_to(events_of_task(found.run_id, found.task_id), vector)
    row = task_rows([found], now)[0]
    unknown = run is not None and is_failed(whole) and foreign(run, RunPart.objects.filter(run_id=run.run_id))
    return {
        "run": run,
        "task": whole,
        "carried": carried(whole, events) if payloads else None,
        "row": row,
        "waiting": row.get("waiting"),
        "about": about(whole, now),
        "origin": origin(whole, run),
        "alike_url": alike_url(found),
        "fingerprint": found.error_fingerprint,
        # Where something is masked, differences between attempts would show it.
        "tries": tries(whole, events, payloads and not len(rules())),
        "redone": redone(whole),
        "records": raw_records(whole, events),
        "suspects": suspect_page(run) if run is not None and unknown and vector is None else None,
        "acts": act_rows(whole),
        "events": [event_row(event) for event in events[:EVENTS]],
        "more_events": len(events) > EVENTS,
        "may_see_payloads": payloads,
        "may_steer": may_steer(request.user),
    }
