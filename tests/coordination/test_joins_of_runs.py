"""Whom a join waits for: exactly the expected inputs less those that arrived, in runs in which everything happens.

The list is compared with one written plainly here: nested fan-outs, branches that were redone, that claim an index
twice or say none, totals that are not sealed.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.fanouts import Branch, FanOut
from coordination.joins import progress
from coordination.projection import Rows, fold
from coordination.tasks import TERMINAL, Task
from tests.coordination.everything import everything, layout
from tests.coordination.timed import fan_out, timed

Name = tuple[int | None, str]
"""(index, "") of an input, or (None, the task that stands for it) of one that never said its index."""
CASES = settings(max_examples=max(200, settings().max_examples))


def last(task: Task, members: Mapping[str, Task]) -> Task:
    """The task that stands for this one in the end: what redid it, or what redid that."""
    seen = {task.task_id}
    while True:
        redone = [one for one in members.values() if one.retry_of == task.task_id]
        if not redone:
            return task
        after = max(redone, key=lambda one: (one.requested_at or 0, one.task_id))
        if after.task_id in seen:
            return task
        seen.add(after.task_id)
        task = after


def expected_and_arrived(fan_out: FanOut, tasks: Iterable[Task]) -> tuple[set[Name], set[Name]]:
    members = {task.task_id: task for task in tasks}
    named = {branch.task_id: branch.index for branch in fan_out.branches if branch.task_id}
    expected: set[Name] = {(branch.index, "") for branch in fan_out.branches}
    arrived: set[Name] = set()
    for task in members.values():
        index = task.fanout_index if task.fanout_index is not None else named.get(task.task_id)
        if index is None and task.retry_of in members:
            continue  # it stands for the one that it redoes
        name: Name = (None, last(task, members).task_id) if index is None else (index, "")
        expected.add(name)
        if last(task, members).state in TERMINAL:
            arrived.add(name)
    # A branch without an index, or with one beyond the total, stands for one of those that nobody claims.
    sealed = total(fan_out, members) or 0
    unclaimed = [(index, "") for index in range(sealed) if (index, "") not in expected]
    return expected | set(unclaimed[: max(0, sealed - len(expected))]), arrived


def total(fan_out: FanOut, members: Mapping[str, Task]) -> int | None:
    if fan_out.expected is not None:
        return fan_out.expected
    return max((task.fanout_count for task in members.values() if task.fanout_count is not None), default=None)


def judged(fan_out: FanOut, members: list[Task]) -> None:
    """Fails unless the join names exactly who is missing."""
    expected, arrived = expected_and_arrived(fan_out, members)
    found = progress(fan_out, members)
    names = {(one.index, "" if one.index is not None else one.task_id) for one in found.missing}
    assert len(names) == len(found.missing)
    assert names == expected - arrived
    assert found.arrived == len(arrived)


@CASES
@given(st.integers(0, 2**32), st.integers(2, 25), st.floats(0.2, 1))
def test_in_runs_the_missing_are_the_expected_less_the_arrived_exactly(seed: int, size: int, share: float) -> None:
    events = sorted(everything(seed, size).events(), key=lambda event: (event.time, event.offset))
    told = events[: int(len(events) * share)]
    rows = Rows(layout())
    fold(rows, sorted(told, key=lambda event: (event.topic, event.partition, event.offset)))
    members: dict[tuple[str, str], list[Task]] = defaultdict(list)
    for task in rows.tasks.values():
        members[task.run_id, task.fanout_id].append(task)
    for key, row in rows.fan_outs.items():
        judged(row, members[key])


@CASES
@given(st.integers(0, 2**32), st.integers(0, 12))
def test_whatever_branches_claim_and_redo_the_list_is_exact(seed: int, size: int) -> None:
    rng = random.Random(seed)
    tasks: list[Task] = []
    for number in range(size):
        state = rng.choice(("completed", "failed", "working", "requested", "canceled", "input_required"))
        ended = rng.randrange(20) if state in TERMINAL else None
        index = rng.choice((None, *range(6)))
        task = timed(f"t{number}", rng.randrange(9), 9, ended, fanout="f", index=index, state=state)
        redoes = rng.choice(tasks).task_id if tasks and rng.random() < 0.4 else ""
        tasks.append(msgspec.structs.replace(task, state=state, fact_state=state, retry_of=redoes))
    sealed = rng.choice((None, rng.randrange(9)))
    listed = tuple(Branch(index, rng.choice(("", f"t{index}"))) for index in range(rng.randrange(4)))
    judged(msgspec.structs.replace(fan_out("f", "all"), expected=sealed, branches=listed), tasks)
