"""First causes: which failure began it, and what it holds up.

A failed task is a first cause if nothing it needed failed before it: no task in `depends_on`, no task it had
asked for (a parent fails because of its child), and if it was not redone with success. Everything that is not
done and hangs on it, as a dependent or as a parent, is *blocked* by it; a task that several causes block is
counted for the earliest of them.
"""

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

from coordination.joins import last_of_chain
from coordination.tasks import FAILING, Task


class Cause(msgspec.Struct, frozen=True):
    """A first cause. `at` is when the task first failed (µs), `attempts` its tries, `blocked` what hangs on it."""

    task_id: str
    title: str
    agent_group: str
    state: str
    at: int
    error_type: str
    error_message: str
    attempts: int
    blocked: tuple[str, ...]


def causes(tasks: Iterable[Task]) -> list[Cause]:
    """All first causes among the tasks of one run, earliest first."""
    by_id = {task.task_id: task for task in tasks}
    failing = {task_id for task_id, task in by_id.items() if task.state in FAILING} - _healed(by_id)
    needs, holds = _edges(by_id)
    order = sorted(failing, key=lambda task_id: (_failed_at(by_id[task_id]), task_id))
    first = [task_id for task_id in order if not _explained(task_id, by_id, needs, failing)]
    first = first or order[:1]  # a circle of failures that explain one another
    taken = set(first)
    return [_cause(by_id[task_id], _blocked(task_id, by_id, holds, taken)) for task_id in first]


def first_cause(tasks: Iterable[Task]) -> Cause | None:
    """The earliest first cause of a run; None if nothing failed for good."""
    return next(iter(causes(tasks)), None)


def _healed(by_id: Mapping[str, Task]) -> set[str]:
    last = last_of_chain(by_id.values())
    return {task_id for task_id, head in last.items() if by_id[head].state == "completed"}


def _edges(by_id: Mapping[str, Task]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    needs: dict[str, list[str]] = {}
    holds: dict[str, list[str]] = {}
    for task in by_id.values():
        pairs = [(task.task_id, needed) for needed in task.depends_on]
        if task.parent_task_id:
            pairs.append((task.parent_task_id, task.task_id))
        for one, needed in pairs:
            if needed in by_id and one in by_id:
                needs.setdefault(one, []).append(needed)
                holds.setdefault(needed, []).append(one)
    return needs, holds


def _explained(task_id: str, by_id: Mapping[str, Task], needs: Mapping[str, list[str]], failing: set[str]) -> bool:
    at = _failed_at(by_id[task_id])
    return any(
        needed in failing and needed != task_id and _failed_at(by_id[needed]) <= at for needed in needs.get(task_id, ())
    )


def _blocked(
    origin: str, by_id: Mapping[str, Task], holds: Mapping[str, list[str]], taken: set[str]
) -> tuple[str, ...]:
    found, queue = [], deque([origin])
    while queue:
        for task_id in holds.get(queue.popleft(), ()):
            if task_id not in taken and by_id[task_id].state != "completed":
                taken.add(task_id)
                found.append(task_id)
                queue.append(task_id)
    return tuple(sorted(found))


def _failed_at(task: Task) -> int:
    return (task.ended_at if task.failed_at is None else task.failed_at) or 0


def _cause(task: Task, blocked: tuple[str, ...]) -> Cause:
    error = task.error
    return Cause(
        task_id=task.task_id,
        title=task.title or task.task_type,
        agent_group=task.agent_group,
        state=task.state,
        at=_failed_at(task),
        error_type=error.type if error else "",
        error_message=error.message if error else "",
        attempts=task.attempt,
        blocked=blocked,
    )
