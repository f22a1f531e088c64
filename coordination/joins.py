"""Joins: the rule, who arrived, who is missing and where it is, and whether the join can still complete.

Counted are distinct branch indexes whose branch ended, never arrivals. A branch that was redone (`retry_of`)
counts as the last of its chain; a second task for the same index is a duplicate, the one that ended first
counts. Until the fan-out is sealed the total is unknown: then only what no further branch could change is
decided. A verdict of the runtime (fanin.*) always stands above our own.
"""

from collections.abc import Collection, Iterable, Mapping
from heapq import nsmallest
from itertools import islice
from typing import Final

import msgspec

from coordination.fanouts import Branch, FanOut
from coordination.tasks import HUMAN, TERMINAL, Task
from coordination.verdicts import Standing, rule_text, verdict

__all__ = ["Branch", "FanOut", "JoinProgress", "Missing", "Repeated", "Where", "progress"]

SHOWN: Final = 200


class Where(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an input is: `not produced`, `in broker` (at topic, partition, offset), `received`, `running`,
    `retrying`, `in review`, a terminal state, or `dead-lettered`; `at` is since when (µs)."""

    place: str
    at: int | None = None
    topic: str = ""
    partition: int | None = None
    offset: int | None = None


class Missing(msgspec.Struct, frozen=True):
    """A branch that has not arrived. `index` is None where the branch never said one."""

    index: int | None
    task_id: str
    where: Where


class Repeated(msgspec.Struct, frozen=True):
    """An index that several tasks claim; the first of them counts."""

    index: int
    task_ids: tuple[str, ...]


class JoinProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A join as it stands. `expected` is None while unsealed; then at least `known` branches there are.

    `counts` counts branches by state (`not produced` among them), `missing` lists the first 200 of
    `missing_count`. `verdict`: satisfied, failed, expired (said by the runtime), met (the rule is met, the runtime
    has not said so), can complete, cannot complete, unknown; `reason` says why in words.
    """

    fanout_id: str
    title: str
    rule: str
    on_failure: str
    deadline: int | None
    expected: int | None
    known: int
    arrived: int
    completed: int
    counts: dict[str, int]
    missing: tuple[Missing, ...]
    missing_count: int
    late: tuple[Branch, ...]
    duplicates: tuple[Repeated, ...]
    disagrees: bool
    verdict: str
    verdict_at: int | None
    reason: str


def progress(fan_out: FanOut, members: Iterable[Task], *, dead: Collection[str] = ()) -> JoinProgress:
    """How a join stands. `members` are the tasks with its id, `dead` the ids of dead-lettered tasks."""
    branches = _Branches(fan_out, members, dead)
    word, reason = verdict(fan_out, branches.standing())
    return JoinProgress(
        fanout_id=fan_out.fanout_id,
        title=fan_out.title,
        rule=rule_text(fan_out),
        on_failure=fan_out.on_failure,
        deadline=fan_out.deadline,
        expected=branches.expected,
        known=branches.known,
        arrived=len(branches.arrived),
        completed=branches.completed,
        counts=branches.counts(),
        missing=tuple(branches.missing()),
        missing_count=branches.total - len(branches.arrived),
        late=branches.late(),
        duplicates=branches.duplicates,
        disagrees=branches.disagrees,
        verdict=word,
        verdict_at=fan_out.verdict_at,
        reason=reason,
    )


def last_of_chain(tasks: Iterable[Task]) -> dict[str, str]:
    """Task id -> the last task that redid it (itself if none did), among these tasks.

    Where two tasks redo the same one, the later request is the one that counts; a circle ends where it began.
    """
    by_id = {task.task_id: task for task in tasks}
    redone: dict[str, str] = {}
    for task in sorted(by_id.values(), key=lambda task: (task.requested_at or 0, task.task_id)):
        if task.retry_of in by_id:
            redone[task.retry_of] = task.task_id
    last: dict[str, str] = {}
    for task_id in by_id:
        seen, current = {task_id}, task_id
        while (after := redone.get(current)) is not None and after not in seen:
            seen.add(after)
            current = after
        last[task_id] = current
    return last


Key = tuple[int, str]
"""(index, "") of a branch, or (-1, task id) of one that never said its index."""


class _Branches:
    """The branches of one fan-out: which task stands for each index, and what is known of the total."""

    def __init__(self, fan_out: FanOut, members: Iterable[Task], dead: Collection[str]) -> None:
        self.fan_out, self.dead = fan_out, dead
        self.named = {branch.index: branch.task_id for branch in fan_out.branches}
        tasks = list(members)
        self.heads, self.duplicates = _heads(tasks, {name: index for index, name in self.named.items() if name})
        stated = {task.fanout_count for task in tasks if task.fanout_count is not None}
        if fan_out.expected is not None:
            stated.add(fan_out.expected)
        self.disagrees = len(stated) > 1
        self.expected = fan_out.expected if fan_out.expected is not None else max(stated, default=None)
        keys = self.heads.keys() | {(index, "") for index in self.named}
        self.known = len(keys)
        self.total = max(self.known, self.expected or 0)
        self.arrived = {key for key, task in self.heads.items() if task.state in TERMINAL}
        self.completed = sum(self.heads[key].state == "completed" for key in self.arrived)

    def standing(self) -> Standing:
        bad = [self.heads[key] for key in self.arrived if self.heads[key].state != "completed"]
        first = min(bad, key=lambda task: (task.ended_at or 0, task.task_id), default=None)
        return Standing(
            expected=self.expected,
            known=self.known,
            arrived=len(self.arrived),
            completed=self.completed,
            bad=len(bad),
            first_bad=first,
            dead=first is not None and first.task_id in self.dead,
        )

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for task in self.heads.values():
            found[task.state] = found.get(task.state, 0) + 1
        silent = self.total - len(self.heads)
        return found | ({"not produced": silent} if silent else {})

    def missing(self) -> list[Missing]:
        keys = {(index, "") for index in self.named} | self.heads.keys()
        silent = ((index, "") for index in range(self.expected or 0) if (index, "") not in keys)
        # No more than are shown, and from below: a total may be any number that somebody wrote.
        keys |= set(islice(silent, min(SHOWN, self.total - self.known)))
        return [self._missing(key) for key in nsmallest(SHOWN, keys - self.arrived)]

    def _missing(self, key: Key) -> Missing:
        index, task = (None if key[0] < 0 else key[0]), self.heads.get(key)
        if task is None:
            return Missing(index, self.named.get(key[0], ""), Where("not produced"))
        return Missing(index, task.task_id, where(task, self.dead))

    def late(self) -> tuple[Branch, ...]:
        decided = self.fan_out.verdict_at
        told = {branch.index for branch in self.fan_out.late}
        counted = {branch.index for branch in self.fan_out.causes}
        found = list(self.fan_out.late)
        for (index, _), task in self.heads.items():
            after = decided is not None and (task.ended_at or 0) > decided and (index, "") in self.arrived
            if after and index not in told and index not in counted:
                found.append(Branch(index, task.task_id, task.state, task.ended_event))
        return tuple(sorted(found))


def _heads(tasks: list[Task], named: Mapping[str, int]) -> tuple[dict[Key, Task], tuple[Repeated, ...]]:
    by_id = {task.task_id: task for task in tasks}
    last = last_of_chain(tasks)
    claims: dict[Key, dict[str, Task]] = {}
    for task in tasks:
        index = task.fanout_index if task.fanout_index is not None else named.get(task.task_id)
        redo = task.retry_of in by_id and index is None
        if not redo:
            key = (-1, task.task_id) if index is None else (index, "")
            claims.setdefault(key, {})[last[task.task_id]] = by_id[last[task.task_id]]
    heads, repeated = {}, []
    for key, tasks_of_key in claims.items():
        order = sorted(tasks_of_key.values(), key=_first_ended)
        heads[key] = order[0]
        if len(order) > 1:
            repeated.append(Repeated(key[0], tuple(task.task_id for task in order)))
    return heads, tuple(sorted(repeated, key=lambda one: one.index))


def _first_ended(task: Task) -> tuple[bool, int, str]:
    ended = task.state in TERMINAL
    return not ended, (task.ended_at if ended else task.requested_at) or 0, task.task_id


def where(task: Task, dead: Collection[str] = ()) -> Where:
    """Where the work of a task is now."""
    if task.task_id in dead or task.dead_lettered:
        return Where("dead-lettered", task.ended_at)
    if task.state in TERMINAL:
        return Where(task.state, task.ended_at)
    if task.state == "requested" and not task.endings:
        position = (task.command_topic, task.command_partition, task.command_offset)
        return Where("in broker", task.requested_at, *position)
    if task.state in HUMAN:
        return Where("in review", task.pauses[-1].at if task.pauses else task.heard_at)
    return Where(_PLACES.get(task.state, "unknown"), task.heard_at)


_PLACES: Final = {
    "requested": "in broker",
    "submitted": "received",
    "working": "running",
    "retry_wait": "retrying",
}
