"""The causal chain of a task up to the root: at each step the input that let it begin.

Steps are tasks, found by their parent and what they depend on; each shows where its command lies in the log and
how long after the step before it was asked for. Bounded: at most 40 steps, one query each.
"""

from typing import Any, Final

from coordination.lag import words
from coordination.tasks import Task as TaskRow
from dashboard.api.addresses import record_address, short_position, task_address
from dashboard.api.signs import sign_of_state
from dashboard.api.taskbody import task_of
from dashboard.models import Task

STEPS: Final = 40


def chain(task: TaskRow) -> list[dict[str, Any]]:
    """The steps from the root to this task; the last one is the task itself."""
    steps, seen, here = [task], {task.task_id}, task
    while len(steps) < STEPS:
        gate = _gate(here)
        if gate is None or gate.task_id in seen:
            break
        seen.add(gate.task_id)
        steps.append(gate)
        here = gate
    steps.reverse()
    return [_step(step, steps[place - 1] if place else None, step is task) for place, step in enumerate(steps)]


def _gate(task: TaskRow) -> TaskRow | None:
    """The input that arrived last: of what the task depends on the one that ended last, else its parent."""
    wanted = [each for each in task.depends_on if each][:200] or ([task.parent_task_id] if task.parent_task_id else [])
    inputs = [task_of(row) for row in Task.objects.filter(run_id=task.run_id, task_id__in=wanted)]
    return max(inputs, key=lambda each: (each.ended_at or 0, each.task_id), default=None)


def _step(task: TaskRow, before: TaskRow | None, current: bool) -> dict[str, Any]:
    began, asked = task.requested_at, before.requested_at if before else None
    after = None if began is None or asked is None else began - asked
    known = task.command_topic and task.command_partition is not None and task.command_offset is not None
    return {
        "name": task.title or task.task_type or task.task_id,
        "task_id": task.task_id,
        "url": task_address(task.run_id, task.task_id),
        "sign": sign_of_state(task.state),
        "current": current,
        "position": short_position(task.command_topic, task.command_partition or 0, task.command_offset or 0)
        if known
        else "",
        "record_url": record_address(task.command_topic, task.command_partition, task.command_offset),
        "after": "" if after is None else f"+{words(after)}" if after >= 0 else words(after),
    }
