"""The cast of the tests about approvals: people with their rights, and what the log says, as ingest would keep it."""

from itertools import count
from typing import Any

import msgspec
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User

from coordination.approvals import content_hash
from coordination.envelope import Decoder, new_event
from coordination.eventlog import APPEND_TIME, NewRecord, StoredRecord
from coordination.ids import new_id
from coordination.manifest import Manifest
from coordination.partitioner import partition_for
from coordination.projection import fold, keys_of
from coordination.requests import Request as RequestRow
from coordination.rows import Layout, Rows
from coordination.tasks import Task as TaskRow
from dashboard.clock import database_now
from dashboard.models import Request, Task

SECOND = 1_000_000
RUN, TASK = "run-1", "task-1"
PAY = {"name": "pay", "target": "supplier 7", "args": {"amount": "18240.50", "items": ["re_1", "re_2"]}}
_offsets = count()


def person(name: str, *groups: str, may_decide: bool = True, may_steer: bool = False) -> User:
    """A user in these groups."""
    user = User.objects.create_user(name, f"{name}@example.org")
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    rights = ["decide_approval"] * may_decide + ["steer_run"] * may_steer
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return User.objects.get(pk=user.pk)


def ask(
    approval_id: str = "ask-1",
    *,
    version: int = 1,
    action: dict[str, Any] | None = None,
    task: str = TASK,
    run: str = RUN,
    fence: int = 1,
    at: int | None = None,
    **data: Any,
) -> RequestRow:
    """An agent asks: approval.requested is read from the log. Instants in `data` are datetimes or text."""
    action = PAY if action is None else action
    asked = {
        "approval_id": approval_id,
        "request_version": version,
        "content_hash": content_hash(action),
        "action": action,
        "allowed_decisions": ["approve", "reject", "edit", "respond"],
        "agent_group": "payer",
        "fence": fence,
        **data,
    }
    say("approval.requested", asked, task=task, run=run, attempt=fence, at=at)
    return asked_row(approval_id)


def say(name: str, data: Any, *, task: str = TASK, run: str = RUN, at: int | None = None, **given: Any) -> None:
    """An agent says something, and ingest reads it."""
    at = database_now() if at is None else at
    made = new_event(
        name,
        source="/coord/agents/payer-1/x",
        agent_id="payer-1",
        time=at,
        id=new_id(at),
        run_id=run,
        task_id=task,
        data=msgspec.to_builtins(data),
        manifest=Manifest(settings.LINESIDE_NAMESPACE),
        **({"agent_group": "payer"} | given),
    )
    hear(made, at=at)


def hear(*made: NewRecord, at: int | None = None) -> None:
    """Ingest reads these records: requests and tasks are folded and kept."""
    at = database_now() if at is None else at
    manifest = Manifest(settings.LINESIDE_NAMESPACE)
    decoder = Decoder(manifest)
    events = [decoder.decode(_appended(record, at)) for record in made]
    rows, keys = Rows(Layout(manifest.family_of)), keys_of(events)
    for request in Request.objects.filter(approval_id__in=keys.requests):
        rows.requests[request.approval_id] = msgspec.json.decode(request.body, type=RequestRow)
    for run_id, task_id in keys.tasks:
        for task in Task.objects.filter(run_id=run_id, task_id=task_id):
            rows.tasks[run_id, task_id] = msgspec.json.decode(task.body, type=TaskRow)
    touched = fold(rows, events)
    for approval_id in touched.requests:
        _keep_request(rows.requests[approval_id])
    for key in touched.tasks:
        _keep_task(rows.tasks[key])


def _appended(record: NewRecord, at: int) -> StoredRecord:
    partition = record.partition
    if partition is None:
        partition = partition_for(record.key or b"", 12)
    place = (record.topic, partition, next(_offsets), at // 1000, APPEND_TIME)
    return StoredRecord(*place, record.key, record.value, record.headers)


def _keep_request(row: RequestRow) -> None:
    row.revision += 1
    names = (
        "run_id",
        "task_id",
        "agent_group",
        "version",
        "content_hash",
        "state",
        "requested_at",
        "due_at",
        "expires_at",
        "revision",
    )
    kept = {name: getattr(row, name) for name in names} | {"body": msgspec.json.encode(row).decode()}
    Request.objects.update_or_create(approval_id=row.approval_id, defaults=kept)


def _keep_task(row: TaskRow) -> None:
    row.revision += 1
    names = (
        "shard",
        "tenant",
        "state",
        "task_type",
        "title",
        "agent_group",
        "agent_id",
        "fold_key",
        "parent_task_id",
        "fanout_id",
        "fanout_index",
        "retry_of",
        "attempt",
        "requested_at",
        "started_at",
        "ended_at",
        "command_topic",
        "command_partition",
        "command_offset",
        "revision",
    )
    kept = {name: getattr(row, name) for name in names} | {"body": msgspec.json.encode(row).decode()}
    Task.objects.update_or_create(run_id=row.run_id, task_id=row.task_id, defaults=kept)


def asked_row(approval_id: str = "ask-1") -> RequestRow:
    """The request as ingest keeps it."""
    return msgspec.json.decode(Request.objects.get(approval_id=approval_id).body, type=RequestRow)
