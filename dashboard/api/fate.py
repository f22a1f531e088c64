"""What became of a command for the group it is addressed to: waiting, running, done, passed, lost, or unknown.

Judged from the last poll of the group and from the task itself; unknown is an answer, silence is not.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from coordination.event import Event
from coordination.tasks import OPEN
from dashboard.models import ConsumerGroup, Task

BLIND = ("no permission", "stale", "unknown")


def fate(event: Event) -> list[dict[str, str]]:
    """One entry for the group an intent is addressed to; none for facts, which anybody may read."""
    if not event.target_group:
        return []
    group = ConsumerGroup.objects.filter(agent_group=event.target_group).first()
    task = Task.objects.filter(run_id=event.run_id, task_id=event.task_id).first() if event.task_id else None
    word, evidence = _judge(event, _partition(group, event), task)
    return [{"group": event.target_group, "fate": word, "evidence": evidence}]


def _partition(group: ConsumerGroup | None, event: Event) -> Mapping[str, Any] | None:
    if group is None:
        return None
    parts = msgspec.json.decode(group.body).get("partitions") or []
    return next((part for part in parts if part["topic"] == event.topic and part["partition"] == event.partition), None)


def _judge(event: Event, part: Mapping[str, Any] | None, task: Task | None) -> tuple[str, str]:
    mine = task is not None and (task.command_topic, task.command_partition, task.command_offset) == (
        event.topic,
        event.partition,
        event.offset,
    )
    if task is not None and mine and task.state not in OPEN:
        return "done", f"the task is {task.state}"
    if task is not None and mine and task.started_at is not None:
        return "running", f"started by {task.agent_id or 'an unnamed agent'}, {task.state} now"
    if part is None:
        return "unknown", "no poll has seen this group on this partition"
    if part["state"] in BLIND:
        return "unknown", f"the partition is {part['state']}"
    commit = part.get("commit")
    if commit is None:
        return "no position", "the group never committed there"
    if part.get("begin") is not None and event.offset < part["begin"] and commit <= event.offset:
        return "lost unread", f"the log begins at {part['begin']} now, the group stood at {commit}"
    if event.offset >= commit:
        return "waiting", f"{event.offset - commit} records ahead; the group's commit is {commit}"
    return "passed without result", f"the group's commit is {commit}, and nothing says the task began"
