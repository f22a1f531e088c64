"""A failed task in place: where its failure comes from, and what one needs to see to believe it."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from coordination.event import Event
from coordination.query import quoted
from coordination.tasks import FAILING
from coordination.tasks import Task as TaskRow
from dashboard.api.addresses import address, record_address, short_position, task_address
from dashboard.api.cascades import cascade_of
from dashboard.api.taskbody import task_of
from dashboard.models import DeadLetter, Run, Task

REDONE: Final = 10


def origin(task: TaskRow, run: Run | None) -> dict[str, Any] | None:
    """Whether a task is a first cause of its run or hangs on one, with what hangs on it; None if neither."""
    cascade = cascade_of(run) if run else None
    cause = cascade.origin_of(task.task_id) if cascade else None
    if cascade is None or cause is None:
        return None
    place = cascade.causes.index(cause) + 1
    return {
        "first": cause.task_id == task.task_id,
        "place": place,
        "causes": len(cascade.causes),
        "words": cascade.words,
        "name": cause.title or cause.task_id,
        "url": task_address(task.run_id, cause.task_id),
        "blocked": len(cause.blocked),
        "blocked_url": _filtered(task.run_id, f"blocked-by:{quoted(cause.task_id)}"),
        "error": ": ".join(part for part in (cause.error_type, cause.error_message.partition("\n")[0]) if part),
    }


def _filtered(run_id: str, line: str) -> str:
    return f"{address('runs', run_id)}?query={quote(line)}"


def alike_url(found: Task) -> str | None:
    """The tasks of its run with the same error, as a list."""
    return _filtered(found.run_id, f"fingerprint:{found.error_fingerprint}") if found.error_fingerprint else None


def raw_records(task: TaskRow, events: Sequence[Event]) -> list[dict[str, Any]]:
    """The records that say it: how it ended, what was asked, the dead letter. The one that ended it comes first."""
    end = next((event for event in events if event.id == task.ended_event), None)
    found = []
    if end is not None:
        found.append(_record("How it ended", end.topic, end.partition, end.offset))
    if task.command_offset is not None:
        found.append(_record("Its command", task.command_topic, task.command_partition or 0, task.command_offset))
    letters = DeadLetter.objects.filter(run_id=task.run_id, task_id=task.task_id).defer("record").order_by("-at")[:3]
    return found + [_record("Dead letter", one.topic, one.partition, one.offset) for one in letters]


def _record(label: str, topic: str, partition: int, offset: int) -> dict[str, Any]:
    return {
        "label": label,
        "position": short_position(topic, partition, offset),
        "url": record_address(topic, partition, offset),
    }


def redone(task: TaskRow) -> list[dict[str, Any]]:
    """The tasks that redo this one, with how far they came."""
    rows = Task.objects.filter(run_id=task.run_id, retry_of=task.task_id).exclude(retry_of="")[:REDONE]
    return [
        {"name": each.title or each.task_id, "state": each.state, "url": task_address(each.run_id, each.task_id)}
        for each in map(task_of, rows)
    ]


def is_failed(task: TaskRow) -> bool:
    """Whether it ended badly."""
    return task.state in FAILING
