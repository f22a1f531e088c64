"""API calls about events and records."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from coordination.eventlog import StoredRecord
from dashboard.api.eventfilter import event_test
from dashboard.api.eventlist import run_events, task_events
from dashboard.api.paging import size
from dashboard.api.problems import Problem
from dashboard.api.recordpage import record_page, record_row
from dashboard.api.recordshapes import EventPage, RecordShape
from dashboard.api.root import access, allowed, api
from dashboard.events import record_at
from dashboard.looks import note_unmasking
from dashboard.manifest import manifest
from dashboard.models import Run, Task
from dashboard.past import as_of
from dashboard.permissions import Person, may_see_approvals, may_see_runs, may_unmask, require


@api.get("runs/{path:run_id}/events", response=EventPage, tags=["records"])
@allowed(may_see_runs)
def events_of_run(
    request: HttpRequest,
    run_id: str,
    query: str = "",
    cursor: str | None = None,
    limit: int | None = None,
    at: str | None = None,
) -> dict[str, Any]:
    """Events of a run in the order they were read: in offset order within each partition. `query` is a query line:
    `event:task.failed agent:coder offset:3@1042`; with one a page may be short and yet have a next one. `at` leaves
    out what comes after a position."""
    get_object_or_404(Run.objects.only("run_id"), run_id=run_id)
    with as_of(run_id, at) as moment:
        vector = moment.place.vector if moment.place else None
        return run_events(run_id, cursor, size(limit), vector, event_test(query, moment.now))


@api.get("tasks/{path:task_id}/events", response=EventPage, tags=["records"])
@allowed(may_see_runs)
def events_of_task(
    request: HttpRequest,
    task_id: str,
    run: str = "",
    query: str = "",
    cursor: str | None = None,
    limit: int | None = None,
    at: str | None = None,
) -> dict[str, Any]:
    """Events of a task in log order. `query` is a query line; `run` is needed where several runs have a task of this
    id. `at` leaves out what comes after a position of the run."""
    runs = list(
        Task.objects.filter(task_id=task_id, **({"run_id": run} if run else {})).values_list("run_id", flat=True)[:2]
    )
    if not runs:
        raise Problem(404, "not_found", f"No task {task_id} has been read.")
    if len(runs) > 1:
        raise Problem(409, "ambiguous", f"Several runs have a task {task_id}; name one with run=.", runs=runs)
    with as_of(runs[0], at) as moment:
        vector = moment.place.vector if moment.place else None
        return task_events(runs[0], task_id, cursor, size(limit), vector, event_test(query, moment.now))


@api.get("records/{str:topic}/{int:partition}/{int:offset}", response=RecordShape, tags=["records"])
@allowed(may_see_runs)
def record(request: HttpRequest, topic: str, partition: int, offset: int) -> dict[str, Any]:
    """One record: attributes, data (with the right to payloads, and as masking leaves them), causes, effects, fate."""
    person = access(request).user
    return record_row(record_page(_stored(person, topic, partition, offset), person))


@api.post("records/{str:topic}/{int:partition}/{int:offset}/unmask", response=RecordShape, tags=["records"])
@allowed(may_unmask)
def unmask(request: HttpRequest, topic: str, partition: int, offset: int) -> dict[str, Any]:
    """The same with nothing masked; the look is entered in the audit trail."""
    person = access(request).user
    stored = _stored(person, topic, partition, offset)
    note_unmasking(person, stored)
    return record_row(record_page(stored, person, unmask=True))


def _stored(person: Person, topic: str, partition: int, offset: int) -> StoredRecord:
    if "review" in (manifest().family_of(topic) or topic).split("."):
        require(person, may_see_approvals)
    stored = record_at(topic, partition, offset)
    if stored is None:
        raise Problem(404, "not_found", f"The record {topic}-{partition}@{offset} was not read, or has been pruned.")
    return stored
