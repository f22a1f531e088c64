"""What a task holds up: everything open that depends on it, directly or through others, or waits for it as a child."""

from collections import deque
from collections.abc import Iterable

from coordination.tasks import OPEN, Task


def blocked_by(task_id: str, tasks: Iterable[Task]) -> set[str]:
    """The ids of the open tasks of one run that cannot end before this task has."""
    open_ids, holds = set[str](), dict[str, list[str]]()
    for task in tasks:
        if task.state not in OPEN:
            continue
        open_ids.add(task.task_id)
        for needed in task.depends_on:
            holds.setdefault(needed, []).append(task.task_id)
        if task.parent_task_id:
            holds.setdefault(task.task_id, []).append(task.parent_task_id)
    found, queue = set[str](), deque([task_id])
    while queue:
        for held in holds.get(queue.popleft(), ()):
            if held in open_ids and held not in found and held != task_id:
                found.add(held)
                queue.append(held)
    return found
