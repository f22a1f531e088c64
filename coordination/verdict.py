"""The verdict on a consumer group: the first rule of RULES that speaks.

Each rule is a few lines with its reason above it, and answers with the facts it judged by, so that a person
can check it. Rules look at what tasks do (starts, heartbeats, progress), never at the cadence of commits
alone: an agent that thinks for three minutes with a frozen commit is healthy, and a group whose commits stand
still because nothing waits is idle. Instants and durations are microseconds.
"""

import itertools
from collections.abc import Callable
from typing import Final

import msgspec

from coordination.lag import (
    GroupFacts,
    Limits,
    RunningTask,
    age,
    heard,
    offset_gap,
    partition_state,
    trend,
    waiting,
    words,
)


class Verdict(msgspec.Struct, frozen=True):
    """The judgement on a group: a state word, one sentence, and the facts (name, value) behind it."""

    state: str
    reason: str
    facts: tuple[tuple[str, str], ...] = ()


def _alive(task: RunningTask, facts: GroupFacts, now: int, limits: Limits) -> bool:
    """Whether a started task is within its limit: long thinking is work as long as it shows a sign of life."""
    limit, until = max(limits.run, 3 * facts.p99.get(task.task_type, 0)), heard(facts, now)
    return until - task.started_at <= limit and until - task.seen_at <= max(limits.start, limits.heartbeat)


def _patience(facts: GroupFacts, limits: Limits) -> int:
    """How long waiting without a start is normal: the limit, or longer where such tasks take longer."""
    return max([limits.start, *(facts.p99.get(kind, 0) for kind in facts.waiting_types)])


def _quiet(facts: GroupFacts, now: int) -> int:
    """Time (µs) since the group last started, ended or passed something, or since the oldest task began to wait if
    later. Commits count where tasks wait: elsewhere they may move over records of others for ever."""
    moved = [part.moved_at or 0 for part in facts.partitions if part.waiting]
    since = [now - age(facts, now), facts.last_start_at or 0, facts.last_end_at or 0, *moved]
    return heard(facts, now) - max(since)


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
    # A commit that moved back means work will be read again, until it has regained its place: surprising unless
    # someone asked for it.
    back = [
        part
        for part in facts.partitions
        if part.reached is not None and part.commit is not None and part.commit < part.reached
    ]
    if not back:
        return None
    steps = ", ".join(f"{p.topic}-{p.partition} from {p.reached} to {p.commit}" for p in back[:3])
    again = sum((p.reached or 0) - (p.commit or 0) for p in back)
    facts_of = (("partitions", str(len(back))), ("records read again", f"{again:,}"))
    return Verdict("rewound", f"commit moved back: {steps}", facts_of)


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
    if not orphans or age(facts, heard(facts, now)) <= limits.heartbeat:
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


def _unread(facts: GroupFacts, now: int, limits: Limits) -> Verdict | None:
    # The log is not read up to now: what looks like silence may stand in the part that is not read.
    behind = now - heard(facts, now)
    if behind <= limits.start:
        return None
    return Verdict("unknown", f"what tasks did was read until {words(behind)} ago only", (("not read", words(behind)),))


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
    # The oldest task gets older from poll to poll and the queue longer, although the group starts tasks: it does not
    # keep up. Looked at over half the age of the oldest: a batch that came at once and is worked off lies before
    # that, and so does the start of one long task with others behind it. Neither is slow.
    until = heard(facts, now)
    oldest = age(facts, until)
    ages = [*facts.ages, age(facts, now)][-limits.polls :]
    rising = len(ages) == limits.polls and all(a < b for a, b in itertools.pairwise(ages))
    window = oldest // 2
    started = facts.last_start_at is not None and until - facts.last_start_at <= window
    grew = trend(facts, until, window)
    if not (rising and started and oldest > limits.start and grew is not None and grew > 0):
        return None
    reason = f"age rising over {len(ages)} polls while working"
    found = [("oldest", words(oldest)), ("queue", f"grew by {grew:,} in {words(window)}")]
    if facts.hot is not None:
        reason += f"; {facts.hot.text()}"
        found.append(("hot", facts.hot.text()))
    return Verdict("slow", reason, tuple(found))


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
    _unread,
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
