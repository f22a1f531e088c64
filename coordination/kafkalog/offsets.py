"""Where partitions begin and end, and where groups stand. Partitions are asked of their leading brokers."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from coordination.errors import LogDenied
from coordination.eventlog import Ends, TopicPartition
from coordination.kafkalog.client import OffsetCommitRequest, OffsetFetchRequest, OffsetRequest, kafka_errors
from coordination.kafkalog.connection import Connection, Transient, by_topic
from coordination.kafkalog.refusal import refused_code
from coordination.kafkalog.wire import ask_stable_offsets

_EARLIEST, _LATEST = -2, -1
_UNCOMMITTED, _COMMITTED = 0, 1
_UNSTABLE = 88  # UNSTABLE_OFFSET_COMMIT: a transaction still holds the offset
_UNKNOWN = kafka_errors.UnknownTopicOrPartitionError.errno
_MEMBERS = frozenset((kafka_errors.UnknownMemberIdError.errno, kafka_errors.IllegalGenerationError.errno))
_STALE_MEMBER = 113  # what a group of the new protocol (KIP-848) answers instead
UNSTABLE_SECONDS = 1.0

Offsets = dict[TopicPartition, int]


async def ends(connection: Connection, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Ends]:
    """First offset, last stable offset and high watermark; partitions that do not exist are missing."""
    # In this order on one connection, so that begin <= stable <= high of one and the same moment or later.
    begin = await list_offsets(connection, partitions, _EARLIEST, _UNCOMMITTED)
    stable = await list_offsets(connection, list(begin), _LATEST, _COMMITTED)
    high = await list_offsets(connection, list(stable), _LATEST, _UNCOMMITTED)
    return {at: Ends(min(begin[at], stable[at]), stable[at], high[at]) for at in high}


async def offsets_for_time(connection: Connection, partitions: Sequence[TopicPartition], timestamp: int) -> Offsets:
    """The first offset stamped at or after `timestamp` (ms since 1970 UTC); the high watermark if none is."""
    found = await list_offsets(connection, partitions, max(timestamp, 0), _UNCOMMITTED)
    later = [partition for partition, offset in found.items() if offset < 0]
    return found | await list_offsets(connection, later, _LATEST, _UNCOMMITTED)


async def list_offsets(
    connection: Connection, partitions: Sequence[TopicPartition], timestamp: int, isolation: int
) -> Offsets:
    """Kafka's ListOffsets for one timestamp (or -2 earliest, -1 latest); -1 where no record is that late."""

    async def attempt() -> Offsets:
        asked = await connection.leaders(partitions)
        answers = await asyncio.gather(
            *(connection.ask(_list_request(chosen, timestamp, isolation), node) for node, chosen in asked.items())
        )
        found: Offsets = {}
        for answer in answers:
            found |= await _listed(connection, answer)
        return found

    return await connection.patiently("tell offsets", attempt) if partitions else {}


def _list_request(partitions: Sequence[TopicPartition], timestamp: int, isolation: int) -> Any:
    return OffsetRequest(-1, isolation, by_topic(dict.fromkeys(partitions, timestamp)))


async def _listed(connection: Connection, answer: Any) -> Offsets:
    found: Offsets = {}
    for topic, rows in answer.topics:
        for number, code, _, offset, *_ in rows:
            if code == 0:
                found[TopicPartition(topic, number)] = offset
            elif code == _UNKNOWN:
                continue
            elif kafka_errors.for_code(code).retriable:
                await connection.forget_leaders()
                raise Transient(f"{topic}[{number}]: {kafka_errors.for_code(code).__name__}")
            else:
                raise refused_code(code, topic, f"tell offsets of {topic}[{number}]")
    return found


async def commits(connection: Connection, group: str) -> Offsets:
    """Committed positions of a group; partitions without one are missing. Those in an open transaction count not."""
    found, _ = await _commits(connection, group, OffsetFetchRequest(group, None))
    return found


async def visible(connection: Connection, group: str, partitions: Sequence[TopicPartition]) -> None:
    """Wait a moment until positions committed in a transaction can be read; Kafka writes its markers afterwards."""
    give_up = asyncio.get_running_loop().time() + UNSTABLE_SECONDS
    while asyncio.get_running_loop().time() < give_up:
        _, unstable = await stable_commits(connection, group, partitions)
        if not unstable:
            return
        await asyncio.sleep(0.005)


async def stable_commits(
    connection: Connection, group: str, partitions: Sequence[TopicPartition]
) -> tuple[Offsets, frozenset[TopicPartition]]:
    """Committed positions, and the partitions whose position an unfinished transaction still holds (KIP-447)."""
    topics = [(topic, [number for number, _ in rows]) for topic, rows in by_topic(dict.fromkeys(partitions))]
    return await _commits(connection, group, ask_stable_offsets(group, topics))


async def _commits(connection: Connection, group: str, request: Any) -> tuple[Offsets, frozenset[TopicPartition]]:
    async def attempt() -> tuple[Offsets, frozenset[TopicPartition]]:
        return _fetched(await connection.ask_coordinator(group, request), group)

    return await connection.patiently(f"tell the positions of group {group}", attempt)


def _fetched(answer: Any, group: str) -> tuple[Offsets, frozenset[TopicPartition]]:
    _check(answer.error if hasattr(answer, "error") else answer.error_code, group)
    found: Offsets = {}
    unstable = set()
    for topic, rows, *_ in answer.topics:
        for row in rows:
            partition, offset = TopicPartition(topic, row[0]), row[1]
            code = row[3] if len(row) == 4 else row[4]  # newer answers hold a leader epoch before the metadata
            if code == _UNSTABLE:
                unstable.add(partition)
                continue
            _check(code, group)
            if offset >= 0:
                found[partition] = offset
    return found, frozenset(unstable)


def _check(code: int, group: str) -> None:
    if code and kafka_errors.for_code(code).retriable and code != _UNKNOWN:
        raise Transient(f"group {group}: {kafka_errors.for_code(code).__name__}")
    if code and code != _UNKNOWN:
        raise refused_code(code, group, f"tell the positions of group {group}")


async def set_commits(connection: Connection, group: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Commit for a group without members. Raises LogDenied (code `group_has_members`), UnknownTopic."""
    if not offsets:
        return
    rows = [(topic, [(n, at, "") for n, at in parts]) for topic, parts in by_topic(offsets)]
    request = OffsetCommitRequest(group, -1, "", -1, rows)

    async def attempt() -> None:
        answer = await connection.ask_coordinator(group, request)
        for topic, parts in answer.topics:
            for number, code in parts:
                _check_committed(group, TopicPartition(topic, number), code)

    await connection.patiently(f"set the positions of group {group}", attempt)


def _check_committed(group: str, partition: TopicPartition, code: int) -> None:
    if code in _MEMBERS or code == _STALE_MEMBER:
        raise LogDenied(
            f"Group {group} has members, so its positions cannot be set from outside: stop them first.",
            code="group_has_members",
        )
    if code == _UNKNOWN:
        raise refused_code(code, None, f"set the position of group {group} in {partition.topic}[{partition.partition}]")
    _check(code, group)
