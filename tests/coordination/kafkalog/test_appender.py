"""Rules of appending to a real broker."""

import asyncio
import time

import pytest

from coordination.errors import LogUnreachable, RecordTooLarge, UnknownTopic
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.kafkalog import KafkaLog, open_kafkalog
from tests.coordination.kafkalog.conftest import MakeTopic, numbered, read_all
from tests.services.kafka import KafkaBroker


async def test_an_append_beyond_its_limit_is_of_unknown_outcome_and_later_ones_wait_for_it(
    kafka: KafkaBroker, log: KafkaLog, hasty: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic()
    await hasty.append(numbered(name, range(2)))
    kafka.pause()
    started = time.monotonic()
    with pytest.raises(LogUnreachable, match="outcome is unknown"):
        await hasty.append(numbered(name, range(2, 4)))
    with pytest.raises(LogUnreachable, match="nothing was sent"):
        await hasty.append(numbered(name, range(4, 6)))
    assert time.monotonic() - started < 5
    kafka.resume()
    await _persistently(hasty, numbered(name, range(6, 8)))
    # The one of unknown outcome was under way, so it is written, in its place; the one never sent is not.
    assert await read_all(log, name) == {0: [0, 1, 2, 3, 6, 7]}


async def test_a_refused_batch_does_not_spoil_later_ones(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic(config={"max.message.bytes": "1000"})
    await log.append(numbered(name, range(2)))
    for records in ([NewRecord(name, b"k", b"x" * 2000)], [NewRecord(name, b"k", b"x" * 600) for _ in range(3)]):
        with pytest.raises(RecordTooLarge, match=r"max\.message\.bytes"):
            await log.append(records)
    for number in range(2, 6):
        await log.append(numbered(name, range(number, number + 1)))
    assert await read_all(log, name) == {0: [0, 1, 2, 3, 4, 5]}


async def test_a_topic_that_another_deleted_is_unknown_within_seconds(
    kafka: KafkaBroker, log: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic()
    await log.append(numbered(name, range(1)))
    other = open_kafkalog(f"kafka://{kafka.bootstrap}")
    await other.delete_topic(name)
    started = time.monotonic()
    with pytest.raises(UnknownTopic, match=name):
        await log.append(numbered(name, range(1, 2)))
    assert time.monotonic() - started < 5
    await other.create_topics([TopicSpec(name, 1)])
    await log.append(numbered(name, range(2, 4)))
    assert await read_all(log, name) == {0: [2, 3]}
    await other.close()


async def test_a_host_where_nobody_listens_is_an_error_at_once(kafka: KafkaBroker) -> None:
    nobody = open_kafkalog("kafka://127.0.0.1:1?timeout=20")
    started = time.monotonic()
    with pytest.raises(LogUnreachable, match=r"127\.0\.0\.1:1 .*may be down"):
        await nobody.append([NewRecord("t", b"k", b"v")])
    with pytest.raises(LogUnreachable, match=r"127\.0\.0\.1:1 .*may be down"):
        await nobody.topics()
    assert time.monotonic() - started < 5
    await nobody.close()


async def test_a_log_can_be_closed_while_the_broker_is_away(
    kafka: KafkaBroker, hasty: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic()
    member = await hasty.join(f"{name}.group", [name], client_id="a", session_timeout=6)
    await member.poll(1, 0.5)
    await hasty.reader({TopicPartition(name, 0): 0})
    relay = await hasty.transaction(f"{name}.relay")
    await relay.append(numbered(name, range(2)))
    await hasty.append(numbered(name, range(2)))
    kafka.pause()
    with pytest.raises(LogUnreachable):
        await hasty.append(numbered(name, range(2)))
    with pytest.raises(LogUnreachable):
        await relay.append(numbered(name, range(2)))
    started = time.monotonic()
    await hasty.close()
    assert time.monotonic() - started < 12


async def _persistently(log: KafkaLog, records: list[NewRecord]) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await log.append(records)
            except LogUnreachable as error:
                if "nothing was sent" not in str(error):
                    raise
            else:
                return
