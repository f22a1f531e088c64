"""Lag as waiting tasks: what was seen of a group, the state of a partition, age, ETA and the retention clock.

Pure functions of evidence and *now*. Instants are microseconds since 1970 UTC, durations microseconds.
The judgement on a group is in `verdict`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from coordination.eventlog import Ends

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND


class PartitionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one poll saw of one partition for one group; None always means "could not be read".

    `commit` is the committed position, `committed` False when the group never committed there; `reached` the
    furthest it ever stood. `waiting` counts unprocessed records meant for the group, `oldest_at` is the append time
    of the first of them, `types` how many of each task type. `head_*`: the first open record at or after the commit,
    how often it was started, whose it is. `workers`: how many tasks at a time its member has room for there.
    `retention` (µs) is how long the topic keeps records, None for ever or unknown; `moved_at` is when the commit there
    last moved on.
    """

    topic: str
    partition: int
    commit: int | None = None
    committed: bool = True
    ends: Ends | None = None
    reached: int | None = None
    topic_recreated: bool = False
    denied: bool = False
    polled_at: int = 0
    waiting: int | None = None
    oldest_at: int | None = None
    member: str | None = None
    head_starts: int = 0
    head_offset: int | None = None
    head_task: tuple[str, str] | None = None
    types: dict[str, int] = {}
    workers: float = 1.0
    retention: int | None = None
    moved_at: int | None = None


class Hot(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a partition hot: it holds `waiting` of the group's `of` waiting tasks; `key` is the record key that
    most of them share (`keyed` of them), `run_id` the run that most are of (`of_run` of them)."""

    topic: str
    partition: int
    waiting: int
    of: int
    run_id: str = ""
    of_run: int = 0
    key: str = ""
    keyed: int = 0

    def text(self) -> str:
        """In words, as pages and verdicts say it."""
        whole = f"{self.waiting:,} of {self.of:,} wait on {self.topic}-{self.partition}"
        if self.keyed * 2 > self.waiting:
            return f"{whole}, {self.keyed:,} of them with key {self.key}"
        return f"{whole}, {self.of_run:,} of them of run {self.run_id}" if self.of_run * 2 > self.waiting else whole


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """When patience ends. `start`: nothing started although tasks wait; `run`: a started task without any
    sign of progress; `heartbeat`: silence of an agent; `polls`: rising ages before a group is called slow;
    `flaps` generations within `flap_window`; `stale`: age of a poll that is no longer believed; `retention`: the
    time before a waiting record is deleted at which somebody is told."""

    start: int = 2 * MINUTE
    run: int = 15 * MINUTE
    heartbeat: int = 30 * SECOND
    polls: int = 9
    flaps: int = 5
    flap_window: int = 10 * MINUTE
    stale: int = 15 * SECOND
    poison_starts: int = 3
    retention: int = 6 * 60 * MINUTE


class RunningTask(msgspec.Struct, frozen=True, kw_only=True):
    """A started task without an end. `seen_at`: last start, progress, tool call or heartbeat naming it."""

    task_id: str
    task_type: str
    agent_id: str | None
    started_at: int
    seen_at: int


class GroupFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one group at one poll.

    `members` None: unknown (never dead). `ages` are the oldest waiting ages of former polls, oldest first, `waits`
    the (instant, waiting tasks) of a longer past. `last_end_at` is when one of the tasks started last ended,
    `last_commit_at` when any commit last moved on. `generations` are (instant, generation) of former polls. `p99`
    maps a task type to the duration that 99 % of its finished attempts stayed under; `hot` says which partition holds
    most of what waits, and why. `read_until`: what happened up to then was read, so that silence means something;
    None: all of it.
    """

    group: str
    partitions: Sequence[PartitionFacts] = ()
    members: int | None = None
    running: Sequence[RunningTask] = ()
    waiting_types: Sequence[str] = ()
    last_start_at: int | None = None
    last_end_at: int | None = None
    last_heartbeat_at: int | None = None
    last_commit_at: int | None = None
    ages: Sequence[int] = ()
    waits: Sequence[tuple[int, int]] = ()
    hot: Hot | None = None
    generations: Sequence[tuple[int, int]] = ()
    p99: dict[str, int] = {}
    group_state: str = "unknown"
    read_until: int | None = None


def heard(facts: GroupFacts, now: int) -> int:
    """Until when (µs) nothing that tasks did can have been missed: `now`, or earlier where the log is not read up."""
    return now if facts.read_until is None else min(now, facts.read_until)


def words(duration: int | None) -> str:
    """A duration (µs) in words, exact to the second: `18 m 41 s`, `2 h 04 m`, `0.4 s`; None is `unknown`."""
    if duration is None:
        return "unknown"
    seconds = abs(duration) / SECOND
    sign = "-" if duration < 0 else ""
    if seconds < 10:
        return f"{sign}{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{sign}{whole} s"
    if whole < 3600:
        return f"{sign}{whole // 60} m {whole % 60:02d} s"
    if whole < 86400:
        return f"{sign}{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{sign}{whole // 86400} d {whole % 86400 // 3600} h"


def partition_state(facts: PartitionFacts, now: int, limits: Limits) -> str:
    """The state of one partition in one word or two; never a bare number that could mean two things."""
    if facts.denied:
        return "no permission"
    if facts.topic_recreated:
        return "topic recreated"
    if now - facts.polled_at > limits.stale:
        return "stale"
    if facts.ends is None:
        return "unknown"
    if not facts.committed or facts.commit is None:
        return "not started"
    if facts.commit < facts.ends.begin:
        return "truncated"
    if facts.commit > facts.ends.high:
        return "beyond end"
    if facts.commit >= facts.ends.stable:
        return "blocked by an open transaction" if facts.ends.stable < facts.ends.high else "caught up"
    return "behind" if facts.waiting != 0 else "caught up"


def waiting(facts: GroupFacts) -> tuple[int, int]:
    """(waiting tasks over the partitions that are known, number of partitions that are unknown)."""
    known = [p.waiting for p in facts.partitions if p.waiting is not None]
    return sum(known), len(facts.partitions) - len(known)


def age(facts: GroupFacts, now: int) -> int:
    """Age (µs) of the oldest waiting task over all partitions, 0 if none waits. Skew is not clamped away."""
    oldest = [p.oldest_at for p in facts.partitions if p.oldest_at is not None]
    return now - min(oldest) if oldest else 0


def offset_gap(facts: GroupFacts) -> int:
    """The raw offset difference, markers and gaps included: the lesser truth, shown beside waiting tasks."""
    return sum(
        max(0, p.ends.high - max(p.commit, p.ends.begin))
        for p in facts.partitions
        if p.ends is not None and p.commit is not None
    )


class Eta(msgspec.Struct, frozen=True):
    """When the queue is empty: `state` is none, range, not catching up, cannot start or unknown.

    `p50` and `p90` are durations (µs) from now, only for `range`.
    """

    state: str
    p50: int | None = None
    p90: int | None = None

    def text(self) -> str:
        """The estimate in words, as the agents page shows it."""
        if self.state != "range" or self.p50 is None or self.p90 is None:
            return self.state
        low, high = words(self.p50), words(self.p90)
        return low if low == high else f"{low} to {high}"


def eta(
    waiting_by_partition: Sequence[tuple[Mapping[str, int], float]],
    durations: Mapping[str, tuple[int, int]],
    *,
    arrivals: float,
    drained: float,
) -> Eta:
    """When the waiting tasks will have started, by how long such tasks take.

    `waiting_by_partition`: for each partition how many tasks of each type wait, and the workers on it.
    `durations`: task type to (p50, p90) in µs. `arrivals` and `drained` are tasks per minute.
    The answer is the slowest partition's: the sum of its tasks' durations over its workers.
    """
    waiting_parts = [(types, workers) for types, workers in waiting_by_partition if types]
    if not waiting_parts:
        return Eta("none")
    if any(workers == 0 for _, workers in waiting_parts):
        return Eta("cannot start")
    if arrivals >= drained and arrivals > 0:
        return Eta("not catching up")
    if any(kind not in durations for types, _ in waiting_parts for kind in types):
        return Eta("unknown")
    low, high = (
        max(
            int(sum(durations[kind][at] * n for kind, n in types.items()) / workers) for types, workers in waiting_parts
        )
        for at in (0, 1)
    )
    return Eta("range", low, high)


def retention_left(oldest_waiting_at: int | None, retention: int | None, now: int) -> int | None:
    """Time (µs) until retention deletes the oldest waiting record; None: nothing waits, or kept for ever."""
    if oldest_waiting_at is None or retention is None or retention < 0:
        return None
    return oldest_waiting_at + retention - now


def retention_clock(facts: GroupFacts, now: int) -> tuple[int, PartitionFacts] | None:
    """The time (µs) until retention deletes the first record that waits, and its partition; None if none will be."""
    clocks = [
        (left, part)
        for part in facts.partitions
        if part.waiting and (left := retention_left(part.oldest_at, part.retention, now)) is not None
    ]
    return min(clocks, key=lambda clock: clock[0], default=None)


def trend(facts: GroupFacts, now: int, window: int) -> int | None:
    """By how many the waiting tasks grew within the window (µs) before now; None if that is not remembered.

    A count from long before the window tells nothing: they may have come before it began.
    """
    before = [count for at, count in facts.waits if now - window * 3 // 2 <= at <= now - window]
    return waiting(facts)[0] - before[-1] if before else None
