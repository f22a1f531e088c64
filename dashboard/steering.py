"""Steering a task: ask its agents to cancel it, to compensate it, or to do it again as a new task.

These are intents: they go through the outbox like decisions, with an entry in the audit trail, and what comes of
them is a fact of the agents. The same click again is the same act, because its id is made of what it is about.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from django.db import IntegrityError, transaction

from coordination.eventlog import NewRecord
from coordination.instants import rfc3339
from coordination.tasks import OPEN, TERMINAL
from coordination.tasks import Task as TaskRow
from dashboard import outbox
from dashboard.approvals.errors import NotAllowed
from dashboard.approvals.persons import voter_of
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.events import event_at, record_at
from dashboard.models import Decision, Task
from dashboard.permissions import may_steer

VALIDITY: Final = 24 * 3600 * 1_000_000
"""How long (µs) an intent waits to be sent: after a day nobody means it any more."""
_TASK: Final = msgspec.json.Decoder(TaskRow)


class Steered(msgspec.Struct, frozen=True):
    """What was asked for: `task_id` is the task it is about, `new_task_id` the task that redoes it."""

    row_id: str
    act: str
    run_id: str
    task_id: str
    saved_at: int
    new_task_id: str = ""


class Intent(msgspec.Struct, frozen=True):
    """An act on its way: the id of its row, its record, the task the record is keyed by."""

    row_id: str
    record: NewRecord
    task_id: str


def steer(task: Task, act: str, user: Any, *, reason: str = "") -> Steered:
    """Cancel, retry or compensate a task. Raises NotAllowed, with the reason why this act makes no sense now."""
    if not may_steer(user):
        raise NotAllowed("You have no right to steer tasks.")
    if act not in ACTS:
        raise NotAllowed(f"There is no act {act!r}; there are {', '.join(ACTS)}.")
    row = _TASK.decode(task.body)
    if not row.agent_group:
        raise NotAllowed("The command of this task was not read yet, so nobody knows which agents to ask.")
    intent = ACTS[act](row, reason, now := database_now())
    try:
        saved_at = _save(row, act, intent, user, reason, now)
    except IntegrityError:
        # The same click at the same moment, in another process.
        saved_at = Decision.objects.get(pk=intent.row_id).saved_at
    new = intent.task_id if intent.task_id != row.task_id else ""
    return Steered(intent.row_id, act, row.run_id, row.task_id, saved_at, new)


def _save(row: TaskRow, act: str, intent: Intent, user: Any, reason: str, now: int) -> int:
    with transaction.atomic():
        known = Decision.objects.filter(pk=intent.row_id).first()
        if known is not None:
            return known.saved_at
        saved = outbox.put(
            intent.row_id,
            [intent.record],
            task_id=intent.task_id,
            run_id=row.run_id,
            saved_at=now,
            kind=act,
            verdict=act,
            person=user,
            valid_until=now + VALIDITY,
            provenance={"by": "person", "task": row.task_id, "reason": reason},
        )
        detail = {"run_id": row.run_id, "reason": reason, "state": row.state, "row": intent.row_id}
        if intent.task_id != row.task_id:
            detail["new_task_id"] = intent.task_id
        enter(voter_of(user), f"task.{act}", f"task/{row.task_id}", detail)
        return saved.saved_at


def _cancel(row: TaskRow, reason: str, now: int) -> Intent:
    if row.state not in OPEN:
        raise NotAllowed(f"The task has ended already: {row.state}.")
    return _asked(row, "task.cancel.requested", [row.attempt, len(row.endings)], reason, now)


def _compensate(row: TaskRow, reason: str, now: int) -> Intent:
    if row.state not in TERMINAL:
        raise NotAllowed("The task is still open; cancel it instead.")
    if row.compensation not in ("none", "failed"):
        raise NotAllowed(f"The compensation of this task is {row.compensation}.")
    # A compensation that failed may be asked for again: the fact that it failed makes it another act.
    since = row.heard_at if row.compensation == "failed" else 0
    return _asked(row, "task.compensation.requested", [row.ended_event, since], reason, now)


def _asked(row: TaskRow, name: str, about: list[object], reason: str, now: int) -> Intent:
    row_id = outbox.event_id(name, row.run_id, row.task_id, *about)
    record = outbox.record(
        name,
        made_of=[row_id],
        at=now,
        run_id=row.run_id,
        task_id=row.task_id,
        tenant=row.tenant or "default",
        target_group=row.agent_group,
        attempt=row.attempt or None,
        causation=row.request_id,
        idempotency_key=row_id,
        expiry_at=now + VALIDITY,
        data={"reason": reason} if reason else {},
    )
    return Intent(row_id, record, row.task_id)


def _retry(row: TaskRow, reason: str, now: int) -> Intent:
    """A new task with everything the old one was asked, from its stored command: rows keep small inputs only."""
    if row.state not in TERMINAL - {"completed"}:
        raise NotAllowed(f"Only a task that did not succeed can be done again; this one is {row.state}.")
    place = (row.command_topic, row.command_partition or 0, row.command_offset or 0)
    asked, data = event_at(*place), _data_at(*place)
    if asked is None or not data:
        raise NotAllowed("The command of this task is not stored any more, so its input is not known.")
    new_id = outbox.event_id("retry", row.run_id, row.task_id, row.ended_event)
    record = outbox.record(
        "task.requested",
        made_of=[new_id],
        at=now,
        run_id=row.run_id,
        task_id=new_id,
        tenant=asked.tenant,
        parent_task_id=asked.parent_task_id,
        target_group=asked.target_group,
        causation=row.ended_event or row.request_id,
        fold_key=asked.fold_key,
        idempotency_key=new_id,
        fanout_id=asked.fanout_id,
        fanout_index=asked.fanout_index,
        fanout_count=asked.fanout_count,
        data=_redone(data, row, now),
    )
    return Intent(new_id, record, new_id)


def _data_at(topic: str, partition: int, offset: int) -> Mapping[str, Any]:
    """The data of a stored event as they were sent, unknown fields included."""
    record = record_at(topic, partition, offset)
    body = msgspec.json.decode(record.value or b"{}") if record is not None else {}
    inner = body.get("data") if "specversion" in body else body
    return inner if isinstance(inner, dict) else {}


def _redone(data: Mapping[str, Any], row: TaskRow, now: int) -> dict[str, Any]:
    """A deadline that has passed would end the new task before it begins; an open one still counts."""
    kept = {name: value for name, value in data.items() if name != "deadline"}
    if row.deadline is not None and row.deadline > now:
        kept["deadline"] = rfc3339(row.deadline)
    return kept | {"retry_of": row.task_id}


Act = Callable[[TaskRow, str, int], Intent]
ACTS: Final[dict[str, Act]] = {"cancel": _cancel, "retry": _retry, "compensate": _compensate}
