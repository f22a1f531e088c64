"""A broker that is killed under load: what every part of the adapter together must keep."""

import asyncio
import logging
from contextlib import suppress

import pytest

from coordination.errors import LogUnreachable, MemberFenced
from coordination.eventlog import NewRecord, TopicPartition
from coordination.kafkalog import KafkaLog, open_kafkalog
from coordination.kafkalog import outage as outage_module
from coordination.kafkalog.membership import KafkaMembership
from tests.coordination.kafkalog.conftest import MakeTopic, numbered, read_all
from tests.services.kafka import KafkaBroker

PARTITIONS = 3
BATCH = 30


async def write(log: KafkaLog, topic: str, count: int) -> set[int]:
    """Append numbers in batches, as fast as every 20 ms; returns those whose outcome is unknown."""
    unknown: set[int] = set()
    for start in range(0, count, BATCH):
        numbers = range(start, start + BATCH)
        try:
            await log.append(numbered(topic, numbers, PARTITIONS))
        except LogUnreachable:
            unknown |= set(numbers)
        await asyncio.sleep(0.02)
    return unknown


async def copy(log: KafkaLog, source: str, target: str, stop: asyncio.Event) -> None:
    """An agent: every record of `source` becomes one fact in `target`, in one transaction with its position."""
    member: KafkaMembership | None = None
    while not stop.is_set():
        try:
            member = member or await log.join(f"{source}.copy", [source], client_id="copy", session_timeout=2)
            records = await member.poll(20, 0.3)
            if records:
                facts = [NewRecord(target, r.key, r.value, partition=r.partition) for r in records]
                await member.commit({TopicPartition(source, r.partition): r.offset + 1 for r in records}, facts)
        except (MemberFenced, LogUnreachable):
            await asyncio.sleep(0.1)
            if member is not None and member.fenced:
                await member.close()
                member = None


async def follow(log: KafkaLog, topic: str, count: int) -> dict[int, list[int]]:
    """What one and the same reader sees, from the first record to the `count`th, whatever happens meanwhile."""
    reader = await log.reader({TopicPartition(topic, number): 0 for number in range(PARTITIONS)})
    seen: dict[int, list[int]] = {number: [] for number in range(PARTITIONS)}
    while sum(map(len, seen.values())) < count:
        with suppress(LogUnreachable):
            for record in await reader.read(100, 0.5):
                seen[record.partition].append(int(record.value or b""))
    return seen


async def copied(log: KafkaLog, source: str, target: str) -> None:
    """Wait until the agent has caught up."""
    partitions = [TopicPartition(source, number) for number in range(PARTITIONS)]
    async with asyncio.timeout(40):
        while True:
            high = {at: ends.high for at, ends in (await log.ends(partitions)).items()}
            if await log.commits(f"{source}.copy") == high:
                return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "away", [1.0, *(pytest.param(seconds, marks=pytest.mark.long) for seconds in (0.0, 4.0, 15.0))]
)
async def test_a_broker_killed_under_load_loses_doubles_and_reorders_nothing(
    kafka: KafkaBroker, log: KafkaLog, topic: MakeTopic, away: float
) -> None:
    source, target = await topic("source", PARTITIONS), await topic("target", PARTITIONS)
    agent = open_kafkalog(f"kafka://{kafka.bootstrap}?timeout=2")
    stop = asyncio.Event()
    copying = asyncio.create_task(copy(agent, source, target, stop))
    writing = asyncio.create_task(write(log, source, 1500))
    following = asyncio.create_task(follow(agent, source, 1500))
    await asyncio.sleep(0.8)
    kafka.kill()
    await asyncio.sleep(away)
    await asyncio.to_thread(kafka.start)
    unknown = await writing
    written = await read_all(log, source, PARTITIONS)
    for number, values in written.items():
        wanted = range(number, 1500, PARTITIONS)
        assert values == sorted(set(values))
        assert set(wanted) - unknown <= set(values) <= set(wanted)
    if not unknown:
        async with asyncio.timeout(20):
            assert await following == written
    following.cancel()
    await copied(log, source, target)
    stop.set()
    await copying
    assert await read_all(log, target, PARTITIONS) == written
    await agent.close()


async def test_a_minute_without_a_broker_is_two_lines_in_the_log(
    kafka: KafkaBroker,
    hasty: KafkaLog,
    topic: MakeTopic,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outage_module, "QUIET_SECONDS", 1.5)
    name = await topic()
    # A session that ends meanwhile is news of its own, however long the broker takes to start.
    member = await hasty.join(f"{name}.group", [name], client_id="a", session_timeout=300)
    reader = await hasty.reader({TopicPartition(name, 0): 0})
    await hasty.append(numbered(name, range(1)))
    with caplog.at_level(logging.WARNING, "aiokafka"), caplog.at_level(logging.WARNING, "coordination.kafkalog"):
        caplog.clear()
        kafka.kill()
        for call in (
            reader.read(10, 0.2),
            member.poll(10, 0.2),
            reader.read(10, 0.2),
            hasty.append(numbered(name, range(1))),
            hasty.topics(),
        ):
            try:
                await call
            except LogUnreachable:
                continue
        await asyncio.to_thread(kafka.start)
        async with asyncio.timeout(20):
            while len(caplog.messages) < 2:
                await asyncio.sleep(0.3)
                try:
                    await hasty.topics()
                except LogUnreachable:
                    continue
    assert "Trouble with Kafka" in caplog.messages[0]
    assert "answers again" in caplog.messages[1]
    assert len(caplog.messages) == 2, caplog.messages
