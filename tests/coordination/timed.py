"""Small finished runs with instants of their own, for tests of gates and paths."""

import random
from collections.abc import Iterator, Mapping

from coordination.fanouts import FanOut
from coordination.tasks import Attempt, Pause, Task

Run = tuple[list[Task], dict[str, FanOut], int]


def timed(
    task_id: str,
    requested: int,
    started: int,
    ended: int | None,
    *,
    parent: str = "",
    needs: tuple[str, ...] = (),
    fanout: str = "",
    index: int | None = None,
    state: str = "completed",
    paused: tuple[int, int] | None = None,
) -> Task:
    """A task with one attempt; `paused` is a review within it. Instants are plain small numbers."""
    over = ended is not None
    attempt = Attempt(number=1, started_at=started, ended_at=ended, heard_at=started, outcome=state if over else "")
    pauses = (Pause(at=paused[0], reason="approval", attempt=1, resumed_at=paused[1]),) if paused else ()
    return Task(
        run_id="r",
        task_id=task_id,
        state=state if over else "working",
        fact_state=state if over else "working",
        requested_at=requested,
        command_offset=1,
        started_at=started,
        ended_at=ended,
        attempts=(attempt,),
        pauses=pauses,
        parent_task_id=parent,
        depends_on=needs,
        fanout_id=fanout,
        fanout_index=index,
    )


def fan_out(name: str, join: str, quorum: int | None = None) -> FanOut:
    """A fan-out whose opening was read."""
    return FanOut(run_id="r", fanout_id=name, join=join, quorum=quorum, opened_mark=("t", 0, 0), opened_at=0)


def small_run(seed: int, size: int) -> Run:
    """A run in which requests, parents, dependencies and joins make sense; (tasks, fan-outs, end)."""
    rng = random.Random(seed)
    tasks: list[Task] = []
    fan_outs: dict[str, FanOut] = {}
    for number in range(size):
        tasks.append(_task(rng, f"t{number}", tasks, fan_outs))
    return tasks, fan_outs, max((task.ended_at or 0) for task in tasks) + rng.randrange(3)


def _task(rng: random.Random, name: str, tasks: list[Task], fan_outs: Mapping[str, FanOut]) -> Task:
    parent = rng.choice(tasks) if tasks and rng.random() < 0.5 else None
    ancestors = set(_ancestors(parent, {task.task_id: task for task in tasks}))
    others = [task for task in tasks if task.task_id not in ancestors]
    needs = rng.sample(others, min(len(others), rng.choice((0, 0, 1, 2))))
    fanout = ""
    if parent is not None and rng.random() < 0.6:
        fanout = f"f-{parent.task_id}"
        if fanout not in fan_outs:
            join, quorum = rng.choice((("all", None), ("any", None), ("quorum", 2), ("all_settled", None)))
            fan_outs[fanout] = fan_out(fanout, join, quorum)  # type: ignore[index]
    first = parent.requested_at or 0 if parent else 0
    last = parent.ended_at or 0 if parent else 30
    requested = rng.randrange(first, last + 1)
    started = max(requested, *(task.ended_at or 0 for task in needs), 0) + rng.randrange(5)
    ended = started + rng.randrange(1, 20)  # no task is over in no time: of two such each could gate the other
    paused = None
    if rng.random() < 0.3 and ended - started >= 2:
        paused = (started + 1, rng.randrange(started + 1, ended))
    return timed(
        name,
        requested,
        started,
        ended,
        parent=parent.task_id if parent else "",
        needs=tuple(task.task_id for task in needs),
        fanout=fanout,
        index=len([task for task in tasks if task.fanout_id == fanout]) if fanout else None,
        state=rng.choice(("completed", "completed", "completed", "failed")),
        paused=paused,
    )


def _ancestors(task: Task | None, by_id: Mapping[str, Task]) -> Iterator[str]:
    while task is not None:
        yield task.task_id
        task = by_id.get(task.parent_task_id)
