"""What the lag poll remembers from one poll to the next, and what it finds again in the tables after a restart."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from coordination.eventlog import Ends, GroupInfo, MemberInfo, TopicPartition
from coordination.instants import parse
from dashboard.models import ConsumerGroup, GroupSnapshot

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
REMEMBERED: Final = 60 * MINUTE
AGES: Final = 8
FRONTIERS: Final = 200
GENERATIONS: Final = 50
Commits = Mapping[TopicPartition, int]


class Change(NamedTuple):
    """Something about a group that was otherwise before; `kind` and `text` as in GroupChange."""

    kind: str
    text: str


class GroupMemory:
    """One group as the polls before saw it. Instants are µs; `step`: of waiting tasks one figure in that is enough."""

    def __init__(self, step: int) -> None:
        self._step = step
        self.commits: Commits = {}
        self.reached: dict[TopicPartition, int] = {}
        self.moved: dict[TopicPartition, int] = {}
        self.generations: list[tuple[int, int]] = []
        self.waits: list[tuple[int, int]] = []
        self.ages: list[int] = []
        self.info: GroupInfo | None = None
        self.seen_at = 0

    def see(self, info: GroupInfo | None, commits: Commits | None, at: int) -> list[Change]:
        """Take in what the log answered; returns what is otherwise than before. What could not be read (None)
        changes nothing."""
        changes = []
        if commits is not None:
            changes += self._moved(commits, at)
        if info is not None and info.members is not None:
            changes += list(_differences(self.info, info)) if self.info else []
            if info.generation is not None and (not self.generations or self.generations[-1][1] != info.generation):
                self.generations.append((at, info.generation))
                del self.generations[:-GENERATIONS]
            self.info = info
        return changes

    def _moved(self, commits: Commits, at: int) -> list[Change]:
        back = []
        for where, commit in commits.items():
            before = self.commits.get(where)
            if before is not None and commit > before:
                self.moved[where] = at
            if before is not None and commit < before:
                back.append(Change("commit", f"{where.topic}-{where.partition} moved back from {before} to {commit}"))
            self.reached[where] = max(commit, self.reached.get(where, commit))
        for where in self.reached.keys() - commits.keys():
            del self.reached[where]
            self.moved.pop(where, None)
        self.commits = dict(commits)
        return back

    def forget(self, topics: Iterable[str]) -> None:
        """These topics were made anew: how far a group was in the old ones means nothing any more."""
        gone = set(topics)
        self.reached = {where: at for where, at in self.reached.items() if where.topic not in gone}

    def note(self, at: int, waiting: int | None, age: int, read_until: int | None = None) -> None:
        """What this poll found, for the next ones to compare with; how many wait is known as of `read_until`."""
        self.seen_at = at
        self.ages = [*self.ages, age][-AGES:]
        at = at if read_until is None else read_until
        if waiting is None or (self.waits and at <= self.waits[-1][0]):
            return
        # A trend needs no finer steps; the last one always counts.
        if len(self.waits) > 1 and self.waits[-1][0] - self.waits[-2][0] < self._step:
            self.waits.pop()
        self.waits.append((at, waiting))
        self.waits = [one for one in self.waits if at - one[0] <= REMEMBERED]


def _differences(before: GroupInfo, now: GroupInfo) -> Iterable[Change]:
    if before.state != now.state:
        yield Change("state", f"{before.state} became {now.state}")
    old = {member.member_id: member for member in before.members or ()}
    new = {member.member_id: member for member in now.members or ()}
    for member_id in old.keys() - new.keys():
        yield Change("member", f"{old[member_id].client_id or member_id} left")
    for member_id in new.keys() - old.keys():
        yield Change("member", f"{new[member_id].client_id or member_id} joined")
    first, last = _owners(old.values()), _owners(new.values())
    moved = sorted(where for where in first.keys() & last.keys() if first[where] != last[where])
    hands = itertools.groupby(moved, key=lambda where: (where.topic, first[where], last[where]))
    for (topic, source, target), places in hands:
        numbers = ", ".join(str(where.partition) for where in places)
        yield Change("moved", f"{topic}-{numbers} moved from {source} to {target}")


def _owners(members: Iterable[MemberInfo]) -> dict[TopicPartition, str]:
    return {where: member.client_id or member.member_id for member in members for where in member.partitions}


class Frontier:
    """Up to which instant everything was read into the tables, by where partitions ended at the polls before."""

    def __init__(self) -> None:
        self._ends: list[tuple[int, Commits]] = []
        self._until: int | None = None

    def push(self, ends: Commits, reached: Commits, at: int) -> int:
        """The instant (µs), now that partitions end at `ends` and were read up to `reached`; where nothing was ever
        read, nothing is expected."""
        self._ends.append((at, {where: end for where, end in ends.items() if where in reached}))
        covered = 0
        for seen_at, then in self._ends:
            if any(reached.get(where, end) < end for where, end in then.items()):
                break
            self._until, covered = seen_at, covered + 1
        del self._ends[:covered]
        if len(self._ends) > FRONTIERS:  # far behind: less exact will do
            del self._ends[1:-1:2]
        return at - REMEMBERED if self._until is None else self._until


class Window:
    """Where the log ended a while ago, so that what was asked for since can be counted."""

    def __init__(self, reach: int = MINUTE) -> None:
        self._reach = reach
        self._ends: list[tuple[int, dict[TopicPartition, int]]] = []

    def push(self, ends: Mapping[TopicPartition, Ends], at: int) -> tuple[dict[TopicPartition, int], int]:
        """The offsets at which the window began, and its exact span (µs)."""
        self._ends.append((at, {where: end.high for where, end in ends.items()}))
        while len(self._ends) > 1 and at - self._ends[1][0] >= self._reach:
            self._ends.pop(0)
        began, offsets = self._ends[0]
        return offsets, at - began


def remembered(names: Sequence[str], at: int, step: int) -> dict[str, GroupMemory]:
    """What the tables hold of the polls before, so that a restart forgets neither ages nor how far a group was."""
    found = {name: GroupMemory(step) for name in names}
    rows = GroupSnapshot.objects.filter(group__in=names, taken_at__gte=at - REMEMBERED, taken_at__lt=at)
    columns = ("group", "taken_at", "waiting", "age_ms")
    for name, taken_at, waiting, age in rows.order_by("taken_at").values_list(*columns):
        found[name].note(taken_at, waiting, (age or 0) * 1000)
    for group in ConsumerGroup.objects.filter(group__in=names):
        _recall(found[group.group], msgspec.json.decode(group.body))
    return found


def _recall(memory: GroupMemory, body: Mapping[str, Any]) -> None:
    parts = {TopicPartition(part["topic"], part["partition"]): part for part in body.get("partitions") or []}
    memory.commits = {where: part["commit"] for where, part in parts.items() if part.get("commit") is not None}
    memory.reached = {where: part["reached"] for where, part in parts.items() if part.get("reached") is not None}
    memory.moved = {where: parse(part["moved_at"]) for where, part in parts.items() if part.get("moved_at")}
