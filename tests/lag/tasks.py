"""Task rows as ingest would have made them of the records of a history."""

from collections.abc import Sequence
from typing import Any

import msgspec

from coordination.tasks import Task as TaskRow
from dashboard.ingest.tables import TASKS
from dashboard.models import Task
from tests.lag.history import Kept

NAMES = [name for name, _ in TASKS.all_columns]


def keep(topic: str, group: str, records: Sequence[Kept]) -> None:
    """The commands were read."""
    Task.objects.bulk_create([Task(**dict(zip(NAMES, _values(topic, group, one), strict=True))) for one in records])


def _values(topic: str, group: str, one: Kept) -> tuple[object, ...]:
    row = TaskRow(
        run_id=topic,
        task_id=one.task,
        task_type="work",
        agent_group=group,
        state="requested",
        requested_at=one.at * 1000,
        command_topic=topic,
        command_partition=one.partition,
        command_offset=one.offset,
        revision=1,
    )
    return (*TASKS.values(row), 1, msgspec.json.encode(row).decode())


def start(topic: str, tasks: Sequence[str], at: int) -> None:
    """The group began these; they do not wait any more."""
    found = Task.objects.filter(run_id=topic, task_id__in=tasks)
    found.update(state="completed", started_at=at, ended_at=at)


def turn(topic: str, task: str, **state: Any) -> None:
    """What a later record said of a task, in its columns and in its body."""
    found = Task.objects.get(run_id=topic, task_id=task)
    row = msgspec.structs.replace(msgspec.json.decode(found.body, type=TaskRow), **state)
    Task.objects.filter(pk=found.pk).update(**state, body=msgspec.json.encode(row).decode())
