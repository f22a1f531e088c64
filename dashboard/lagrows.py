"""The row of one consumer group: what API, socket and the agents page show of a poll."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from coordination.eventlog import GroupInfo, TopicPartition
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
    waiting,
    words,
)
from coordination.verdict import judge

SECOND: Final = 1_000_000
WORST: Final = ("stuck", "lost", "unassigned", "rewound", "flapping", "slow", "unknown", "working", "idle")


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """What a poll knows of one group. `arrived` tasks in `span` µs; `waiting_before` at the start of that."""

    facts: GroupFacts
    now: int
    info: GroupInfo | None
    running: int
    types: Mapping[TopicPartition, Sequence[str]]
    durations: dict[str, tuple[int, int]]
    arrived: int
    span: int
    waiting_before: int | None


def group_row(poll: Poll) -> dict[str, Any]:
    """One group as JSON: instants RFC 3339, ages in seconds, unknown as null."""
    facts, limits = poll.facts, Limits()
    verdict = judge(facts, poll.now, limits)
    count, unknown = waiting(facts)
    started = max(0, poll.arrived + (poll.waiting_before or 0) - count)
    rate = 60 * SECOND / poll.span if poll.span else 0.0
    estimate = _eta(poll, started)
    return {
        "kind": "group",
        "id": f"agent.{facts.group}",
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
        "members": facts.members,
        "member_names": [m.client_id or m.member_id for m in poll.info.members or ()] if poll.info else [],
        "group_state": facts.group_state,
        "generation": poll.info.generation if poll.info else None,
        "partitions": [_partition_row(part, poll.now, limits) for part in facts.partitions],
        "as_of": rfc3339(poll.now),
    }


def _oldest(facts: GroupFacts) -> str | None:
    oldest = [part.oldest_at for part in facts.partitions if part.oldest_at is not None]
    return rfc3339(min(oldest)) if oldest else None


def _eta(poll: Poll, started: int) -> Eta:
    """Estimate per partition, a member counting as one worker on each of its partitions."""
    workers = {
        TopicPartition(part.topic, part.partition): 1 if part.member or poll.facts.members is None else 0
        for part in poll.facts.partitions
    }
    queues = [(types, workers.get(where, 0)) for where, types in poll.types.items()]
    return eta(queues, poll.durations, arrivals=poll.arrived, drained=started)


def _partition_row(part: PartitionFacts, now: int, limits: Limits) -> dict[str, Any]:
    return {
        "topic": part.topic,
        "partition": part.partition,
        "state": partition_state(part, now, limits),
        "commit": part.commit,
        "begin": part.ends.begin if part.ends else None,
        "end": part.ends.high if part.ends else None,
        "lag": _gap(part),
        "waiting": part.waiting,
        "age_seconds": None if part.waiting is None else round((now - (part.oldest_at or now)) / SECOND, 3),
        "member": part.member,
        "head": part.head_offset,
    }


def _gap(part: PartitionFacts) -> int | None:
    """The broker's own lag: high watermark minus commit, None without a commit."""
    return None if part.ends is None or part.commit is None else max(0, part.ends.high - part.commit)
