"""What a run would have taken without some phases: walked anew, not subtracted.

The time of the phases is taken out of every task, each moment moves to when its inputs would have been there,
and another input may become the one that gates. Work that followed a gate keeps its length; what lies before
the gate is taken to have been waiting for it. Moments are computed once each, inputs first; runs can be deep, so
the walk keeps its own stack.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from coordination.criticalpath import Step, origin, own
from coordination.fanouts import FanOut
from coordination.gates import RUN, Gates
from coordination.tasks import TERMINAL, Task


class Passed(msgspec.Struct, frozen=True):
    """The moment at which the first `number` groups of a task's inputs were all there."""

    task_id: str
    number: int


Moment = Step | Passed


def without(
    tasks: Iterable[Task],
    fan_outs: Mapping[str, FanOut],
    start: int,
    until: int,
    phases: Collection[str],
    *,
    over: bool,
) -> int:
    """The wall time (µs) the run would have had without these phases; arguments as for `critical_path`."""
    gates = Gates(tasks, fan_outs, start, until, over=over)
    return _Moved(gates, phases).at(Step(RUN, gates.until)) - start


class _Moved:
    """When each moment would have been."""

    def __init__(self, gates: Gates, phases: Collection[str]) -> None:
        self.gates, self.phases = gates, phases
        self.known: dict[Moment, int] = {}

    def at(self, goal: Moment) -> int:
        """The new instant of a moment."""
        stack, entered = [goal], set[Moment]()
        while stack:
            moment = stack[-1]
            if moment in self.known:
                stack.pop()
            elif moment in entered:
                self.known[stack.pop()] = self._moved(moment)
            else:
                entered.add(moment)
                stack += [one for one in self._needs(moment) if one not in self.known and one not in entered]
        return self.known[goal]

    def _needs(self, moment: Moment) -> list[Moment]:
        if isinstance(moment, Passed):
            return [*self._ends(moment), *self._former(moment)]
        asked, awaited = self._asked(moment.task_id), self._awaited(moment)
        before = self._before(moment.task_id)
        return [one for one in (asked, before, awaited) if one is not None]

    def _moved(self, moment: Moment) -> int:
        return self._passed(moment) if isinstance(moment, Passed) else self._stepped(moment)

    def _new(self, moment: Moment, unmoved: int) -> int:
        """The new instant; in a circle (clocks that disagree) a moment that follows from itself stays."""
        return self.known.get(moment, unmoved)

    # A moment of a task: its request, what it waited for since then, and its own time after that.

    def _stepped(self, step: Step) -> int:
        new, low = self._begun(step.task_id), self.gates.begin(step.task_id)
        awaited = self._awaited(step)
        if awaited is not None:
            low = self._gate_at(awaited)
            new = max(new, self._new(awaited, low))
        spent = own(self.gates, step.task_id, low, step.at)
        return new + sum(one.length for one in spent if one.phase not in self.phases)

    def _begun(self, task_id: str) -> int:
        begin, asked, before = self.gates.begin(task_id), self._asked(task_id), self._before(task_id)
        found = []
        if asked is not None:
            found.append(self._new(asked, asked.at) + begin - asked.at)
        if before is not None:
            at = self._gate_at(before)
            found.append(self._new(before, at) + (0 if asked else begin - at))
        return max(found, default=begin)

    def _asked(self, task_id: str) -> Step | None:
        """The parent's moment at which it asked for the task."""
        first = origin(self.gates, task_id)
        return first if first is not None and self.gates.tasks[task_id].parent_task_id == first.task_id else None

    def _before(self, task_id: str) -> Passed | None:
        """The inputs that were there when the task was asked for."""
        number = self.gates.passed(task_id, self.gates.begin(task_id))
        return Passed(task_id, number) if number else None

    def _awaited(self, step: Step) -> Passed | None:
        """The inputs that came after the task was asked for, up to this moment."""
        number = self.gates.passed(step.task_id, step.at)
        before = self.gates.passed(step.task_id, self.gates.begin(step.task_id))
        return Passed(step.task_id, number) if number > before else None

    # The moment at which groups of inputs were there.

    def _gate_at(self, passed: Passed) -> int:
        return self.gates.groups(passed.task_id)[passed.number - 1].gate.at

    def _ends(self, passed: Passed) -> list[Step]:
        """The ends of a group's inputs that could have met it: asked for before it was met, and ended."""
        gates = self.gates
        group = gates.groups(passed.task_id)[passed.number - 1]
        early = (one for one in group.arrivals if one <= group.gate or gates.begin(one.task_id) < group.gate.at)
        ended = (one.task_id for one in early if gates.tasks[one.task_id].state in TERMINAL)
        return [Step(one, gates.delays(one).end) for one in ended]

    def _former(self, passed: Passed) -> list[Passed]:
        """The groups before this one in the same wait: before the task was asked for, or after."""
        begun = self.gates.passed(passed.task_id, self.gates.begin(passed.task_id))
        first = 1 if passed.number <= begun else begun + 1
        return [Passed(passed.task_id, passed.number - 1)] if passed.number > first else []

    def _passed(self, passed: Passed) -> int:
        group = self.gates.groups(passed.task_id)[passed.number - 1]
        news = {one.task_id: self._new(one, one.at) for one in self._ends(passed)}
        met = sorted(news.get(one.task_id, one.at) for one in group.arrivals)[group.need - 1]
        return max([met, *(self._new(one, met) for one in self._former(passed))])
