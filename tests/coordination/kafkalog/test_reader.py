"""Rules of reading from a real broker."""

import asyncio
import time

import pytest

from coordination.errors import LogUnreachable, OffsetOutOfRange, UnknownTopic
from coordination.eventlog import CREATE_TIME, NewRecord, TopicPartition
from coordination.kafkalog import KafkaLog
from coordination.kafkalog import reader as reader_module
from tests.coordination.kafkalog.conftest import MakeTopic, numbered, read_all, repeatedly
from tests.services.kafka import KafkaBroker


async def test_the_clients_own_records_are_handed_out(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    (at,) = await log.append([NewRecord(name, b"k", b"v", (("h", b"1"), ("h", b"2")))])
    (record,) = await (await log.reader({TopicPartition(name, 0): 0})).read(10, 5)
    assert type(record).__name__ == "ConsumerRecord"
    assert (record.key, record.value, record.headers) == (b"k", b"v", (("h", b"1"), ("h", b"2")))
    assert (record.timestamp, record.timestamp_type) == (at.timestamp, CREATE_TIME)


async def test_positions_are_past_markers_and_aborted_records(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic(config={"max.message.bytes": "1000"})
    partition = TopicPartition(name, 0)
    relay = await log.transaction(f"{name}.relay")
    await relay.append(numbered(name, range(3)))
    with pytest.raises(Exception, match=r"max\.message\.bytes"):
        await relay.append([NewRecord(name, b"k", b"lost"), NewRecord(name, None, b"x" * 2000)])
    reader = await log.reader({partition: 0})
    assert len(await reader.read(3, 5)) == 3
    end = (await log.ends([partition]))[partition]
    assert end.stable == end.high > 3
    while reader.positions()[partition] < end.high:
        assert await reader.read(10, 0.2) == []


async def test_a_topic_deleted_under_a_reader_is_an_unknown_topic(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    await log.append(numbered(name, range(3)))
    reader = await log.reader({TopicPartition(name, 0): 0})
    assert len(await reader.read(10, 5)) == 3
    await log.delete_topic(name)
    with pytest.raises(UnknownTopic, match=name):
        await repeatedly(lambda: reader.read(10, 0.2))


async def test_an_offset_that_is_gone_is_named_with_what_is_kept(
    kafka: KafkaBroker, log: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic()
    await log.append(numbered(name, range(5)))
    reader = await log.reader({TopicPartition(name, 0): 77})
    for _ in range(2):
        with pytest.raises(OffsetOutOfRange, match=rf"offset 77 of {name}\[0\].*holds 0 to 5"):
            await reader.read(10, 5)
    await reader.seek(TopicPartition(name, 0), 3)
    assert [record.value for record in await reader.read(10, 5)] == [b"3", b"4"]


async def test_a_reader_of_a_broker_that_does_not_answer_says_so_in_time_and_goes_on_by_itself(
    kafka: KafkaBroker, log: KafkaLog, hasty: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic()
    await log.append(numbered(name, range(3)))
    reader = await hasty.reader({TopicPartition(name, 0): 0})
    assert len(await reader.read(10, 5)) == 3
    assert reader.reachable
    kafka.pause()
    started = time.monotonic()
    with pytest.raises(LogUnreachable, match=rf"{name}\[0\]"):
        await repeatedly(lambda: reader.read(10, 0.2))
    assert time.monotonic() - started < 6
    assert not reader.reachable
    kafka.resume()
    await log.append(numbered(name, range(3, 6)))
    assert await _next_values(reader, 3) == [b"3", b"4", b"5"]
    assert reader.reachable


async def test_a_slow_caller_is_not_taken_for_a_silent_broker(
    hasty: KafkaLog, log: KafkaLog, topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "PROMPT_SECONDS", 0.5)
    name = await topic()
    await log.append(numbered(name, range(3)))
    reader = await hasty.reader({TopicPartition(name, 0): 0})
    await asyncio.sleep(1.8)  # the records wait in the client's buffer, so nothing is fetched
    assert len(await reader.read(10, 1)) == 3
    assert await reader.read(10, 0.01) == []


async def test_a_reader_reads_only_what_it_was_opened_for(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    with pytest.raises(UnknownTopic, match="no partition 1"):
        await log.reader({TopicPartition(name, 1): 0})
    with pytest.raises(OffsetOutOfRange, match="negative"):
        await log.reader({TopicPartition(name, 0): -2})
    reader = await log.reader({TopicPartition(name, 0): 0})
    with pytest.raises(UnknownTopic):
        await reader.seek(TopicPartition(name, 1), 0)


async def test_a_large_read_returns_all_there_is(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic(partitions=3)
    await log.append(numbered(name, range(6000), 3))
    assert await read_all(log, name, 3) == {part: list(range(part, 6000, 3)) for part in range(3)}


async def _next_values(reader: object, count: int) -> list[bytes | None]:
    values: list[bytes | None] = []
    async with asyncio.timeout(20):
        while len(values) < count:
            try:
                values += [record.value for record in await reader.read(count, 0.5)]  # type: ignore[attr-defined]
            except LogUnreachable:
                continue
    return values
