"""What the intents about a task do to its row: task.requested, the asks to cancel and to compensate, and the
decisions on their way to the agent.

A task asked for twice keeps the command with the smallest position; the other is an anomaly. A command that
is read after the facts (the topics are read side by side) fills in what was missing and changes no state.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

from coordination.anomalies import mark_of, note, note_at
from coordination.event import Event
from coordination.foldkeys import UNSTAMPED, fallback_key
from coordination.instants import micros
from coordination.receipts import sent_of, with_sent
from coordination.tasks import Task

INLINE_BYTES: Final = 2048

Step = Callable[[Task, Event], None]

_fallback = lru_cache(maxsize=4096)(fallback_key)
_encode: Final = msgspec.json.Encoder().encode


def small(value: Any) -> Any:
    """The value if its JSON has at most `INLINE_BYTES`, else None: rows stay small, the record has it all."""
    return value if value is None or len(_encode(value)) <= INLINE_BYTES else None


def fold_key_of(event: Event) -> str:
    """The fold of a requested task: as stamped, else by (task type, agent group)."""
    return event.fold_key or _fallback(event.data.task_type, event.target_group)


def requested(task: Task, event: Event) -> None:
    """task.requested: what is to be done, by whom, needing what."""
    if task.command_offset is not None:
        if _earlier(task, event):
            note(task, event, "requested_again")
            return
        mark = (task.command_topic, task.command_partition or 0, task.command_offset)
        note_at(task, mark, "requested_again", "task.requested", task.requested_at or 0)
    _ask(task, event)
    _place(task, event)


def _earlier(task: Task, event: Event) -> bool:
    return (task.command_topic, task.command_partition, task.command_offset) < mark_of(event)


def _ask(task: Task, event: Event) -> None:
    data = event.data
    task.task_type = data.task_type
    task.title = data.title
    task.depends_on = data.depends_on
    task.input = small(data.input)
    task.input_ref = data.input_ref or ""
    task.deadline = micros(data.deadline) if data.deadline else None
    task.retry_of = data.retry_of
    task.compensates = data.compensates
    task.fold_key = fold_key_of(event)
    task.stamped = not task.fold_key.startswith(UNSTAMPED)


def _place(task: Task, event: Event) -> None:
    task.agent_group = event.target_group
    task.parent_task_id = event.parent_task_id
    task.fanout_id = event.fanout_id
    task.fanout_index = event.fanout_index
    task.fanout_count = event.fanout_count
    task.expires_at = event.expiry_at
    task.requested_at = event.at
    task.requested_by = event.agent_id
    task.request_id = event.id
    task.causation_id = event.causation_id
    task.command_topic = event.topic
    task.command_partition = event.partition
    task.command_offset = event.offset
    task.idempotency_key = event.idempotency_key


def cancel_requested(task: Task, event: Event) -> None:
    """task.cancel.requested: the first time somebody asked."""
    known = task.cancel_requested_at
    task.cancel_requested_at = event.at if known is None else min(known, event.at)


def compensation_requested(task: Task, event: Event) -> None:
    """task.compensation.requested: the first time somebody asked."""
    known = task.compensation_requested_at
    task.compensation_requested_at = event.at if known is None else min(known, event.at)


def resume_requested(task: Task, event: Event) -> None:
    """task.resume.requested: a decision left for the agent; a resend keeps the first instant."""
    task.sent = with_sent(task.sent, sent_of(event))


TASK_COMMANDS: Final[dict[str, Step]] = {
    "task.requested": requested,
    "task.cancel.requested": cancel_requested,
    "task.compensation.requested": compensation_requested,
    "task.resume.requested": resume_requested,
}
