"""The row of one consumer group: what API, socket and the agents page show of a poll."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from coordination.eventlog import GroupInfo, MemberInfo
from coordination.instants import rfc3339
from coordination.lag import (
    Eta,
    GroupFacts,
    Limits,
    PartitionFacts,
    age,
    eta,
    offset_gap,
    partition_state,
    retention_clock,
    waiting,
    words,
)
from coordination.verdict import judge

SECOND: Final = 1_000_000
HEADS: Final = 5
WORST: Final = ("stuck", "lost", "unassigned", "rewound", "flapping", "slow", "unknown", "working", "idle")


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """What a poll knows of one group. `name` is the consumer group's; `arrived` tasks in `span` µs, `waiting_before`
    at the start of that; `durations` are (p50, p90) in µs by task type."""

    name: str
    facts: GroupFacts
    now: int
    limits: Limits
    info: GroupInfo | None
    running: int
    durations: Mapping[str, tuple[int, int]]
    arrived: int
    span: int
    waiting_before: int | None
    subscribes_to: Sequence[str] = ()


def group_row(poll: Poll) -> dict[str, Any]:
    """One group as JSON: instants RFC 3339, ages in seconds, unknown as null."""
    facts, limits = poll.facts, poll.limits
    verdict = judge(facts, poll.now, limits)
    count, unknown = waiting(facts)
    started = max(0, poll.arrived + (poll.waiting_before or 0) - count)
    rate = 60 * SECOND / poll.span if poll.span else 0.0
    estimate = _eta(poll, started)
    return {
        "kind": "group",
        "id": poll.name,
        "revision": poll.now,
        "order": [WORST.index(verdict.state) if verdict.state in WORST else 0, -count, facts.group],
        "group": facts.group,
        "verdict": {
            "state": verdict.state,
            "reason": verdict.reason,
            "facts": [{"name": name, "value": value} for name, value in verdict.facts],
        },
        "waiting": None if unknown == len(facts.partitions) and unknown else count,
        "unknown_partitions": unknown,
        "offset_gap": offset_gap(facts),
        "running": poll.running,
        "age_seconds": round(age(facts, poll.now) / SECOND, 3),
        "age": words(age(facts, poll.now)) if count else "none",
        "oldest_at": _oldest(facts),
        "eta": estimate.text(),
        "arrived": poll.arrived,
        "started": started,
        "in_per_minute": round(poll.arrived * rate, 1),
        "out_per_minute": round(started * rate, 1),
        "hot": msgspec.to_builtins(facts.hot) | {"text": facts.hot.text()} if facts.hot else None,
        "retention": _retention(facts, poll.now, limits),
        "heads": _heads(facts, limits),
        "subscribes_to": list(poll.subscribes_to),
        "last_start_at": _instant(facts.last_start_at),
        "last_heartbeat_at": _instant(facts.last_heartbeat_at),
        "last_commit_at": _instant(facts.last_commit_at),
        "members": facts.members,
        "member_names": [m.client_id or m.member_id for m in poll.info.members or ()] if poll.info else [],
        "member_rows": [_member_row(member) for member in (poll.info.members or ())] if poll.info else [],
        "group_state": facts.group_state,
        "generation": poll.info.generation if poll.info else None,
        "partitions": [_partition_row(part, poll.now, limits) for part in facts.partitions],
        "as_of": rfc3339(poll.now),
    }


def _oldest(facts: GroupFacts) -> str | None:
    oldest = [part.oldest_at for part in facts.partitions if part.oldest_at is not None]
    return rfc3339(min(oldest)) if oldest else None


def _eta(poll: Poll, started: int) -> Eta:
    """Estimate per partition; where the members cannot be read, one worker is supposed to be there."""
    queues = [
        (part.types, part.workers if part.member or poll.facts.members is None else 0.0)
        for part in poll.facts.partitions
        if part.types
    ]
    return eta(queues, poll.durations, arrivals=poll.arrived, drained=started)


def _instant(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)


def _retention(facts: GroupFacts, now: int, limits: Limits) -> dict[str, Any] | None:
    """The retention clock of the first waiting record that will be deleted; `soon`: somebody should be told."""
    clock = retention_clock(facts, now)
    if clock is None:
        return None
    left, part = clock
    return {
        "topic": part.topic,
        "partition": part.partition,
        "left_seconds": round(left / SECOND),
        "text": words(left) if left > 0 else "over",
        "soon": left <= min(limits.retention, (part.retention or 0) // 4),
    }


def _heads(facts: GroupFacts, limits: Limits) -> list[dict[str, Any]]:
    """The record at the head of each partition that holds up others, the one that holds up most first."""
    held = [part for part in facts.partitions if part.waiting and part.head_offset is not None]
    return [
        {
            "topic": part.topic,
            "partition": part.partition,
            "offset": part.head_offset,
            "starts": part.head_starts,
            "run_id": part.head_task[0] if part.head_task else "",
            "task_id": part.head_task[1] if part.head_task else "",
            "holds_up": part.waiting if part.head_task else (part.waiting or 1) - 1,
            "poison": part.head_starts >= limits.poison_starts,
        }
        for part in sorted(held, key=lambda part: (-part.head_starts, -(part.waiting or 0)))[:HEADS]
    ]


def _member_row(member: MemberInfo) -> dict[str, Any]:
    by_topic: dict[str, list[int]] = {}
    for where in member.partitions:
        by_topic.setdefault(where.topic, []).append(where.partition)
    return {
        "name": member.client_id or member.member_id,
        "member_id": member.member_id,
        "host": member.host,
        "partitions": len(member.partitions),
        "assignment": {topic: sorted(numbers) for topic, numbers in sorted(by_topic.items())},
    }


def _partition_row(part: PartitionFacts, now: int, limits: Limits) -> dict[str, Any]:
    return {
        "topic": part.topic,
        "partition": part.partition,
        "state": partition_state(part, now, limits),
        "commit": part.commit,
        "reached": part.reached,
        "moved_at": _instant(part.moved_at),
        "begin": part.ends.begin if part.ends else None,
        "end": part.ends.high if part.ends else None,
        "stable": part.ends.stable if part.ends else None,
        "lag": _gap(part),
        "waiting": part.waiting,
        "age_seconds": None if part.waiting is None else round((now - (part.oldest_at or now)) / SECOND, 3),
        "member": part.member,
        "head": part.head_offset,
        "head_starts": part.head_starts,
    }


def _gap(part: PartitionFacts) -> int | None:
    """The broker's own lag: high watermark minus commit, None without a commit."""
    return None if part.ends is None or part.commit is None else max(0, part.ends.high - part.commit)
