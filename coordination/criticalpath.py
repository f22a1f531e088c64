"""The critical path of a run: what it really waited for, from its end back to its start.

Walk back from the run's end (or from now): at each task the input that arrived last gates it (`gates`); the time
after that arrival is the task's own, by its phases; then the walk goes on at the input, at the moment it
arrived. A task without a later input leads to its request: to the parent, if that was at work then, else to the
last of what it depends on. The stretches tile the run from start to end, so their sum is its wall time.
What the run would have taken without a phase is in `whatif`.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from coordination.delays import Span, parts_of
from coordination.fanouts import FanOut
from coordination.gates import RUN, Gates, Group
from coordination.tasks import Task

MAX_SLACKS: Final = 5


class Stretch(msgspec.Struct, frozen=True):
    """A stretch of the path: `task_id` (empty: the run itself) in one phase from `start` to `end` (µs)."""

    task_id: str
    phase: str
    start: int
    end: int
    attempt: int

    @property
    def length(self) -> int:
        """µs."""
        return self.end - self.start


class Slack(msgspec.Struct, frozen=True):
    """By how much (µs) an input of `task_id` was earlier than the one that gated it."""

    task_id: str
    input_id: str
    gated_by: str
    slack: int


class CriticalPath(msgspec.Struct, frozen=True):
    """The path, first stretch first, and the inputs that were nearest to being on it (five for each join)."""

    start: int
    end: int
    stretches: tuple[Stretch, ...]
    slacks: tuple[Slack, ...]

    @property
    def wall(self) -> int:
        """µs from the run's start to its end."""
        return self.end - self.start

    def parts(self) -> dict[str, int]:
        """µs on the path by phase; the sum is `wall`."""
        return parts_of(Span(one.phase, one.start, one.end, one.attempt) for one in self.stretches)


class Step(NamedTuple):
    """Where the walk goes on: at this task, at this moment."""

    task_id: str
    at: int


def critical_path(
    tasks: Iterable[Task], fan_outs: Mapping[str, FanOut], start: int, until: int, *, over: bool
) -> CriticalPath:
    """The critical path of a run from `start` to `until` (µs): its end if it is `over`, else now.

    `fan_outs` are the run's, by id.
    """
    gates = Gates(tasks, fan_outs, start, until, over=over)
    stretches: list[Stretch] = []
    slacks: list[Slack] = []
    seen: set[tuple[str, str]] = set()
    step: Step | None = Step(RUN, gates.until)
    while step is not None:
        group = _gate(gates, step, seen)
        low = group.gate.at if group else gates.begin(step.task_id)
        stretches += own(gates, step.task_id, low, step.at)
        if group is not None:
            slacks += _slacks(gates, step, group)
            step = Step(group.gate.task_id, low)
        else:
            step = _before(gates, step.task_id, stretches, seen)
    stretches.sort(key=lambda one: one.start)
    return CriticalPath(start, gates.until, tuple(stretches), tuple(slacks))


def _gate(gates: Gates, step: Step, seen: set[tuple[str, str]]) -> Group | None:
    group = gates.last_gate(step.task_id, step.at)
    if group is None or group.gate.at <= gates.begin(step.task_id):
        return None
    # Clocks that disagree can make a circle; each edge is walked once.
    edge = step.task_id, group.gate.task_id
    if edge in seen:
        return None
    seen.add(edge)
    return group


def own(gates: Gates, task_id: str, low: int, high: int) -> list[Stretch]:
    """What a task spent from `low` to `high`, by phase; the run's own time is explained by nothing."""
    if high <= low:
        return []
    if task_id == RUN:
        return [Stretch(RUN, "unattributed", low, high, 0)]
    return [
        Stretch(task_id, span.phase, span.start, span.end, span.attempt)
        for span in gates.delays(task_id).within(low, high)
    ]


def origin(gates: Gates, task_id: str) -> Step | None:
    """What a task's request followed: its parent at that moment, or the last of its inputs before it.

    The step's instant is at or before the task's begin; None for the run and for what followed nothing known.
    """
    if task_id == RUN:
        return None
    begin = gates.begin(task_id)
    parent = gates.tasks[task_id].parent_task_id
    if parent in gates.tasks and gates.begin(parent) <= begin <= gates.delays(parent).end:
        return Step(parent, begin)
    group = gates.last_gate(task_id, begin)
    if group is not None:
        return Step(group.gate.task_id, group.gate.at)
    if parent in gates.tasks and gates.delays(parent).end < begin:
        return Step(parent, gates.delays(parent).end)
    return None


def _before(gates: Gates, task_id: str, stretches: list[Stretch], seen: set[tuple[str, str]]) -> Step | None:
    begin = gates.begin(task_id)
    step = origin(gates, task_id)
    if step is None or (task_id, f"<{step.task_id}") in seen:
        stretches += own(gates, RUN, gates.start, begin)
        return None
    seen.add((task_id, f"<{step.task_id}"))
    stretches += own(gates, RUN, max(step.at, gates.start), begin)
    return Step(step.task_id, max(step.at, gates.start))


def _slacks(gates: Gates, step: Step, group: Group) -> list[Slack]:
    if step.task_id == RUN:  # tasks that nobody asked for are not awaited by anything
        return []
    gate, index = group.gate, gates.passed(step.task_id, step.at)
    groups = gates.groups(step.task_id)[max(0, index - 1 - MAX_SLACKS) : index]
    near = [one for other in groups for one in other.arrivals[max(0, other.need - 1 - MAX_SLACKS) : other.need]]
    near = [arrival for arrival in near if arrival.task_id != gate.task_id]
    near.sort(key=lambda arrival: (-arrival.at, arrival.task_id))
    return [Slack(step.task_id, arrival.task_id, gate.task_id, gate.at - arrival.at) for arrival in near[:MAX_SLACKS]]
