"""Lag as waiting tasks: the state of a partition, the verdict on a group, and how long it will take.

Pure functions of evidence and *now*. Instants are microseconds since 1970 UTC, durations microseconds.

A verdict is the first rule of RULES that speaks. Each rule is a few lines with its reason above it, and
answers with the facts it judged by, so that a person can check it. Rules look at what tasks do (starts,
heartbeats, progress), never at the cadence of commits alone: an agent that thinks for three minutes with a
frozen commit is healthy, and a group whose commits stand still because nothing waits is idle.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from coordination.eventlog import Ends

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND


class PartitionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one poll saw of one partition for one group; None always means "could not be read".

    `commit` is the committed position, `committed` False when the group never committed there.
    `waiting` counts unprocessed task records, `oldest_at` is the append time of the first of them.
    """

    topic: str
    partition: int
    commit: int | None = None
    committed: bool = True
    ends: Ends | None = None
    previous_commit: int | None = None
    topic_recreated: bool = False
    denied: bool = False
    polled_at: int = 0
    waiting: int | None = None
    oldest_at: int | None = None
    member: str | None = None
    head_starts: int = 0
    head_offset: int | None = None


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """When patience ends. `start`: nothing started although tasks wait; `run`: a started task without any
    sign of progress; `heartbeat`: silence of an agent; `polls`: rising ages before a group is called slow;
    `flaps` generations within `flap_window`; `stale`: age of a poll that is no longer believed."""

    start: int = 2 * MINUTE
    run: int = 15 * MINUTE
    heartbeat: int = 30 * SECOND
    polls: int = 9
    flaps: int = 5
    flap_window: int = 10 * MINUTE
    stale: int = 15 * SECOND
    poison_starts: int = 3


class RunningTask(msgspec.Struct, frozen=True, kw_only=True):
    """A started task without an end. `seen_at`: last start, progress, tool call or heartbeat naming it."""

    task_id: str
    task_type: str
    agent_id: str | None
    started_at: int
    seen_at: int


class GroupFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one group at one poll.

    `members` None: unknown (never dead). `ages` are the oldest waiting ages of former polls, oldest first.
    `generations` are (instant, generation) of former polls. `p99` maps a task type to the duration that 99 %
    of its finished attempts stayed under.
    """

    group: str
    partitions: Sequence[PartitionFacts] = ()
    members: int | None = None
    running: Sequence[RunningTask] = ()
    waiting_types: Sequence[str] = ()
    last_start_at: int | None = None
    last_heartbeat_at: int | None = None
    last_commit_at: int | None = None
    ages: Sequence[int] = ()
    generations: Sequence[tuple[int, int]] = ()
    p99: dict[str, int] = {}
    group_state: str = "unknown"


class Verdict(msgspec.Struct, frozen=True):
    """The judgement on a group: a state word, one sentence, and the facts (name, value) behind it."""

    state: str
    reason: str
    facts: tuple[tuple[str, str], ...] = ()


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


def _alive(task: RunningTask, facts: GroupFacts, now: int, limits: Limits) -> bool:
    """Whether a started task is within its limit: long thinking is work as long as it shows a sign of life."""
    limit = max(limits.run, 3 * facts.p99.get(task.task_type, 0))
    return now - task.started_at <= limit and now - task.seen_at <= max(limits.start, limits.heartbeat)


def _patience(facts: GroupFacts, limits: Limits) -> int:
    """How long waiting without a start is normal: the limit, or longer where such tasks take longer."""
    return max([limits.start, *(facts.p99.get(kind, 0) for kind in facts.waiting_types)])


def _quiet(facts: GroupFacts, now: int) -> int:
    """Time (µs) since the group last started something, or since the oldest task began to wait if later."""
    since = [now - age(facts, now)]
    if facts.last_start_at is not None:
        since.append(facts.last_start_at)
    return now - max(since)


def _unknown(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # Without one readable partition there is nothing to judge; silence must not look like health.
    states = [partition_state(p, now, limits) for p in facts.partitions]
    blind = [s for s in states if s in ("no permission", "unknown", "stale")]
    if states and len(blind) == len(states):
        return Verdict("unknown", f"no partition can be read: {blind[0]}", (("partitions", str(len(states))),))
    return None


def _lost(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # Retention deleted records that the group never read: nobody else will tell.
    gone = [p for p in facts.partitions if partition_state(p, now, limits) in ("truncated", "topic recreated")]
    if not gone:
        return None
    where = ", ".join(f"{p.topic}-{p.partition}" for p in gone[:3])
    return Verdict("lost", f"records were deleted unread on {where}", (("partitions", str(len(gone))),))


def _rewound(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # A commit that moved back means work will be read again: surprising unless someone asked for it.
    back = [
        p
        for p in facts.partitions
        if p.previous_commit is not None and p.commit is not None and p.commit < p.previous_commit
    ]
    if not back:
        return None
    steps = ", ".join(f"{p.topic}-{p.partition} from {p.previous_commit} to {p.commit}" for p in back[:3])
    return Verdict("rewound", f"commit moved back: {steps}", (("partitions", str(len(back))),))


def _poison(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # The same record started again and again holds up everything behind it, however busy the group looks.
    for p in facts.partitions:
        if p.head_starts >= limits.poison_starts and p.waiting and _quiet(facts, now) > limits.heartbeat:
            return Verdict(
                "stuck",
                f"{p.topic}-{p.partition}@{p.head_offset} was started {p.head_starts} times without a result",
                (("head", f"{p.topic}-{p.partition}@{p.head_offset}"), ("starts", str(p.head_starts))),
            )
    return None


def _unassigned(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # Tasks wait on partitions that no member reads: no patience helps, somebody must start a worker.
    if facts.members is None:
        return None
    orphans = [p for p in facts.partitions if p.waiting and (facts.members == 0 or p.member is None)]
    if not orphans or age(facts, now) <= limits.heartbeat:
        return None
    reason = f"{len(orphans)} of {len(facts.partitions)} partitions have waiting tasks and no member"
    return Verdict("unassigned", reason, (("members", str(facts.members)), ("waiting", str(waiting(facts)[0]))))


def _flapping(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # Each rebalance stops everybody; many in a short time is a storm even if every poll looks fine.
    recent = {generation for at, generation in facts.generations if now - at <= limits.flap_window}
    if len(recent) <= limits.flaps:
        return None
    window = words(limits.flap_window)
    return Verdict("flapping", f"{len(recent)} generations in {window}", (("generations", str(len(recent))),))


def _stuck(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # Tasks wait, nothing that runs is within its limit, and nothing was started for longer than is normal.
    count, _ = waiting(facts)
    if not count or any(_alive(task, facts, now, limits) for task in facts.running):
        return None
    patience = _patience(facts, limits)
    quiet = _quiet(facts, now)
    if quiet <= patience:
        return None
    beat = facts.last_heartbeat_at
    alive = beat is not None and now - beat <= limits.heartbeat
    reason = f"{count} wait and none started for {words(quiet)}, limit {words(patience)}"
    return Verdict(
        "stuck",
        reason + (", although its heartbeat is fresh" if alive else ""),
        (
            ("last start", words(None if facts.last_start_at is None else now - facts.last_start_at)),
            ("last heartbeat", words(None if beat is None else now - beat)),
            ("limit", words(patience)),
        ),
    )


def _slow(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # The oldest task gets older from poll to poll although the group works: it does not keep up.
    ages = [*facts.ages, age(facts, now)][-limits.polls :]
    started = facts.last_start_at is not None and now - facts.last_start_at <= _patience(facts, limits)
    rising = len(ages) == limits.polls and all(a < b for a, b in zip(ages, ages[1:], strict=False))
    if not (rising and started and ages[-1] > limits.start):
        return None
    return Verdict("slow", f"age rising over {len(ages)} polls while working", (("oldest", words(ages[-1])),))


def _working(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # A started task or waiting work within its patience: busy, even with a frozen commit.
    alive = [task for task in facts.running if _alive(task, facts, now, limits)]
    count, _ = waiting(facts)
    if alive:
        longest = max(now - task.started_at for task in alive)
        reason = f"{len(alive)} running, longest {words(longest)}"
        return Verdict("working", reason, (("running", str(len(alive))), ("waiting", str(count))))
    if count:
        return Verdict("working", f"head starts within {words(_patience(facts, limits))}", (("waiting", str(count)),))
    return None


def _overdue(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # Nothing waits, but something that was started shows no sign of life any more: lag 0 is not done.
    silent = [task for task in facts.running if not _alive(task, facts, now, limits)]
    if not silent:
        return None
    worst = max(silent, key=lambda task: now - task.seen_at)
    reason = f"{worst.task_id} was started {words(now - worst.started_at)} ago, silent for {words(now - worst.seen_at)}"
    return Verdict("stuck", reason, (("silent tasks", str(len(silent))),))


def _idle(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # Nothing waits and nothing runs. The offsets that remain are markers, or records for other groups.
    gap = offset_gap(facts)
    rest = f"; {gap} offsets are markers or addressed to other groups" if gap else ""
    return Verdict("idle", f"caught up{rest}", (("offset gap", str(gap)),))


Rule = Callable[[GroupFacts, int, Limits], Verdict | None]

RULES: Final[tuple[Rule, ...]] = (
    _unknown,
    _lost,
    _rewound,
    _poison,
    _unassigned,
    _flapping,
    _stuck,
    _slow,
    _working,
    _overdue,
    _idle,
)


def judge(facts: GroupFacts, now: int, limits: Limits | None = None) -> Verdict:
    """The verdict on a group at `now` (µs): the first rule of RULES that speaks."""
    limits = limits or Limits()
    for rule in RULES:
        verdict = rule(facts, now, limits)
        if verdict is not None:
            return verdict
    return Verdict("unknown", "no rule applies")


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
    waiting_by_partition: Sequence[tuple[Sequence[str], int]],
    durations: dict[str, tuple[int, int]],
    *,
    arrivals: float,
    drained: float,
) -> Eta:
    """When the waiting tasks will have started, by how long such tasks take.

    `waiting_by_partition`: for each partition the types of its waiting tasks and the workers on it.
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
    spans = [
        (
            sum(durations[kind][0] for kind in types) // workers,
            sum(durations[kind][1] for kind in types) // workers,
        )
        for types, workers in waiting_parts
    ]
    return Eta("range", max(low for low, _ in spans), max(high for _, high in spans))


def retention_left(oldest_waiting_at: int | None, retention: int | None, now: int) -> int | None:
    """Time (µs) until retention deletes the oldest waiting record; None: nothing waits, or kept for ever."""
    if oldest_waiting_at is None or retention is None or retention < 0:
        return None
    return oldest_waiting_at + retention - now
