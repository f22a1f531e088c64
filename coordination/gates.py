"""Which input a task waited for: the required one that arrived last, by the rule of its join.

Inputs of a task are the tasks it depends on and the tasks it asked for itself (its children: a parent goes on
when they have ended). Those of one fan-out are one group under the rule of its join: all and all_settled are
there when the last has ended, any when the first has completed, quorum(n) when the n-th has. Every other input
is a group of its own. The run itself is the task without id, whose inputs are the tasks nobody asked for.
A task that is open arrives at `until`, no earlier; once the run is over it did not gate anything any more.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from coordination.delays import Delays, begin_of, delays
from coordination.fanouts import FanOut
from coordination.joins import last_of_chain
from coordination.tasks import TERMINAL, Task

RUN: Final = ""


class Arrival(NamedTuple):
    """An input and when it arrived (µs); the later one gates, of equals the one that began first."""

    at: int
    task_id: str


class Group(NamedTuple):
    """Inputs under one rule. `need` of them must arrive, sorted by arrival; `gate` is the one that made it."""

    need: int
    arrivals: tuple[Arrival, ...]

    @property
    def gate(self) -> Arrival:
        """The arrival that completed the group."""
        return self.arrivals[self.need - 1]


class Gates:
    """The inputs of all tasks of one run, seen from `until` (µs): its end if the run is `over`, else now."""

    def __init__(
        self, tasks: Iterable[Task], fan_outs: Mapping[str, FanOut], start: int, until: int, *, over: bool
    ) -> None:
        self.start, self.until, self.over, self.fan_outs = start, max(start, until), over, fan_outs
        self.tasks = {task.task_id: task for task in tasks if (begin_of(task) or 0) <= until}
        self._last = last_of_chain(self.tasks.values())
        self._children: dict[str, list[str]] = {}
        for task_id, task in self.tasks.items():
            parent = task.parent_task_id if task.parent_task_id in self.tasks else RUN
            self._children.setdefault(parent, []).append(task_id)
        self._groups: dict[str, list[Group]] = {}
        self._times: dict[str, list[int]] = {}
        self._delays: dict[str, Delays] = {}

    def delays(self, task_id: str) -> Delays:
        """The phases of a task; those of an open one end at `until`."""
        found = self._delays.get(task_id)
        if found is None:
            found = self._delays[task_id] = delays(self.tasks[task_id], self.until)
        return found

    def begin(self, task_id: str) -> int:
        """When the task's time began."""
        return self.start if task_id == RUN else max(self.start, self.delays(task_id).start)

    def groups(self, task_id: str) -> list[Group]:
        """The groups of a task's inputs, in the order of their gates."""
        found = self._groups.get(task_id)
        if found is None:
            found = sorted(self._make_groups(task_id), key=lambda group: (group.gate.at, self._order(group.gate)))
            self._groups[task_id] = found
            self._times[task_id] = [group.gate.at for group in found]
        return found

    def passed(self, task_id: str, at: int) -> int:
        """How many of the task's groups were there at or before `at`."""
        self.groups(task_id)
        return bisect_right(self._times[task_id], at)

    def last_gate(self, task_id: str, at: int) -> Group | None:
        """The group of inputs that was there last, at or before `at`."""
        index = self.passed(task_id, at)
        return self.groups(task_id)[index - 1] if index else None

    def _make_groups(self, task_id: str) -> Iterable[Group]:
        task = self.tasks.get(task_id)
        inputs = dict.fromkeys(self._children.get(task_id, ()))
        inputs |= dict.fromkeys(one for one in (task.depends_on if task else ()) if one in self.tasks)
        shared: dict[str, list[str]] = {}
        for one in inputs:
            fanout = self.tasks[one].fanout_id
            shared.setdefault(fanout if fanout in self.fan_outs else f"\x1f{one}", []).append(one)
        for fanout, members in shared.items():
            group = self._group(self.fan_outs.get(fanout), members)
            if group is not None:
                yield group

    def _group(self, fan_out: FanOut | None, members: list[str]) -> Group | None:
        heads = sorted({self._last.get(one, one) for one in members} & self.tasks.keys())
        counted = [one for one in heads if self._counts(fan_out, one)]
        need = len(heads)
        if fan_out is not None and fan_out.join in ("any", "quorum"):
            need = 1 if fan_out.join == "any" else fan_out.quorum or 1
        if len(counted) < need:  # it can never be met; what is known of it is when the last one ended
            counted, need = heads, len(heads)
        arrivals = sorted(
            (Arrival(self._arrival(one), one) for one in counted),
            key=lambda arrival: (arrival.at, self._order(arrival)),
        )
        return Group(need, tuple(arrivals)) if arrivals else None

    def _counts(self, fan_out: FanOut | None, task_id: str) -> bool:
        rule = fan_out.join if fan_out is not None else "all"
        state = self.tasks[task_id].state
        return rule not in ("any", "quorum") or state == "completed" or state not in TERMINAL

    def _arrival(self, task_id: str) -> int:
        task = self.tasks[task_id]
        if task.state in TERMINAL and self.delays(task_id).end <= self.until:
            return self.delays(task_id).end
        return self.until + self.over

    def _order(self, arrival: Arrival) -> tuple[int, str]:
        return -self.delays(arrival.task_id).start, arrival.task_id
