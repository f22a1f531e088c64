"""The contract every log keeps, whichever technology keeps it: records, readers, ends.

Topics, consumer groups and transactions have theirs in test_eventlog_*.py, on the same fixtures.
"""

import asyncio
import time

import pytest

from coordination.errors import CoordinationError, OffsetOutOfRange, RecordTooLarge, UnknownTopic
from coordination.eventlog import APPEND_TIME, MAX_RECORD_BYTES, EventLog, NewRecord, TopicPartition
from coordination.partitioner import partition_for
from tests.coordination.adapters import Adapter, take
from tests.coordination.conftest import MakeTopic


def numbered(topic: str, count: int, key: bytes | None = b"k") -> list[NewRecord]:
    return [NewRecord(topic, key, b"%d" % number) for number in range(count)]


async def test_the_log_says_which_kind_it_is(log: EventLog, adapter: Adapter) -> None:
    assert log.kind == adapter.name


async def test_records_of_one_key_keep_their_order(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(partitions=4)
    for number in range(5):
        await log.append([NewRecord(name, b"task-1", b"%d-%d" % (number, i)) for i in range(10)])
    partition = TopicPartition(name, partition_for(b"task-1", 4))
    records = await take(await log.reader({partition: 0}), 50)
    assert [record.value for record in records] == [b"%d-%d" % (n, i) for n in range(5) for i in range(10)]
    assert [record.offset for record in records] == sorted({record.offset for record in records})


async def test_a_key_lands_where_murmur2_says(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(partitions=12)
    keys = [b"task-%d" % number for number in range(60)] + [b"", "Ärger".encode()]
    placed = await log.append([NewRecord(name, key, b"") for key in keys])
    assert [at.partition for at in placed] == [partition_for(key, 12) for key in keys]


async def test_records_without_a_key_are_spread(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(partitions=3)
    placed = [(await log.append([NewRecord(name, None, b"x")]))[0].partition for _ in range(60)]
    assert set(placed) == {0, 1, 2}


async def test_an_asked_for_partition_is_kept(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(partitions=3)
    placed = await log.append([NewRecord(name, b"k", b"x", partition=number) for number in (2, 0, 1, 2)])
    assert [at.partition for at in placed] == [2, 0, 1, 2]


async def test_append_answers_with_one_position_per_record(log: EventLog, topic: MakeTopic) -> None:
    first, second = await topic(), await topic()
    placed = await log.append([NewRecord(n, b"k", v) for n, v in ((first, b"0"), (second, b"1"), (first, b"2"))])
    assert [at.topic for at in placed] == [first, second, first]
    records = await take(await log.reader({TopicPartition(n, 0): 0 for n in (first, second)}), 3)
    found = {(r.topic, r.partition, r.offset): (r.value, r.timestamp) for r in records}
    for number, at in enumerate(placed):
        assert found[at.topic, at.partition, at.offset] == (b"%d" % number, at.timestamp)


async def test_appending_nothing_is_no_error(log: EventLog) -> None:
    assert await log.append([]) == []


async def test_headers_keep_order_duplicates_and_bytes(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    headers = (("ce_id", b"1"), ("twice", b"a"), ("twice", b"\xff\x00\xfe"), ("empty", b""), ("ünï", b"x"))
    await log.append([NewRecord(name, b"k", b"v", headers), NewRecord(name, b"k", b"v")])
    with_headers, without = await take(await log.reader({TopicPartition(name, 0): 0}), 2)
    assert tuple(with_headers.headers) == headers
    assert tuple(without.headers) == ()


@pytest.mark.parametrize("key", [None, b"", b"\x00\xff"])
@pytest.mark.parametrize("value", [None, b"", b"\x00\xff"])
async def test_null_and_empty_are_different(
    log: EventLog, topic: MakeTopic, key: bytes | None, value: bytes | None
) -> None:
    name = await topic()
    await log.append([NewRecord(name, key, value)])
    (record,) = await take(await log.reader({TopicPartition(name, 0): 0}), 1)
    assert (record.key, record.value) == (key, value)


async def test_the_log_stamps_append_time(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    before = time.time_ns() // 1_000_000
    (placed,) = await log.append(numbered(name, 1))
    after = time.time_ns() // 1_000_000
    (record,) = await take(await log.reader({TopicPartition(name, 0): 0}), 1)
    assert record.timestamp_type == APPEND_TIME
    assert before <= record.timestamp <= after
    assert placed.timestamp == record.timestamp


async def test_a_reader_starts_at_its_position_and_says_where_it_stands(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    placed = await log.append(numbered(name, 10))
    partition = TopicPartition(name, 0)
    reader = await log.reader({partition: placed[4].offset})
    assert reader.positions()[partition] == placed[4].offset
    records = await take(reader, 6)
    assert [record.value for record in records] == [b"4", b"5", b"6", b"7", b"8", b"9"]
    assert reader.positions()[partition] == placed[9].offset + 1
    await reader.close()


async def test_a_reader_continues_where_it_is_sought_to(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    placed = await log.append(numbered(name, 5))
    reader = await log.reader({TopicPartition(name, 0): 0})
    await take(reader, 5)
    await reader.seek(TopicPartition(name, 0), placed[3].offset)
    assert [record.value for record in await take(reader, 2)] == [b"3", b"4"]
    await reader.close()


async def test_a_read_returns_no_more_than_asked_for_and_loses_nothing(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(partitions=3)
    await log.append([NewRecord(name, b"%d" % number, b"%d" % number) for number in range(100)])
    reader = await log.reader({TopicPartition(name, number): 0 for number in range(3)})
    values: list[bytes | None] = []
    while len(values) < 100:
        records = await reader.read(7, 5.0)
        assert 1 <= len(records) <= 7
        values.extend(record.value for record in records)
    assert sorted(int(value or b"") for value in values) == list(range(100))
    await reader.close()


async def test_a_busy_partition_does_not_starve_another(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(partitions=2)
    await log.append([NewRecord(name, b"k", b"busy", partition=0) for _ in range(500)])
    await log.append([NewRecord(name, b"k", b"rare", partition=1)])
    reader = await log.reader({TopicPartition(name, 0): 0, TopicPartition(name, 1): 0})
    first = [record.value for _ in range(20) for record in await reader.read(10, 5.0)]
    assert b"rare" in first
    await reader.close()


async def test_a_read_of_nothing_ends_at_its_timeout(log: EventLog, topic: MakeTopic) -> None:
    reader = await log.reader({TopicPartition(await topic(), 0): 0})
    started = time.monotonic()
    assert list(await reader.read(10, 0.3)) == []
    assert 0.2 <= time.monotonic() - started < 3
    await reader.close()


async def test_a_waiting_read_returns_when_a_record_is_appended(
    log: EventLog, adapter: Adapter, topic: MakeTopic
) -> None:
    name = await topic()
    other = await adapter.open()
    reader = await log.reader({TopicPartition(name, 0): 0})
    assert not await reader.read(10, 0.1)
    waiting = asyncio.create_task(reader.read(10, 20.0))
    await asyncio.sleep(0.2)
    await other.append(numbered(name, 1))
    started = time.monotonic()
    assert len(await waiting) == 1
    assert time.monotonic() - started < 1.0
    await reader.close()
    await other.close()


async def test_ends_tell_what_is_kept_and_what_is_stable(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(partitions=2)
    full, empty = TopicPartition(name, 0), TopicPartition(name, 1)
    placed = await log.append([NewRecord(name, b"k", b"v", partition=0) for _ in range(3)])
    ends = await log.ends([full, empty])
    assert ends[full].begin == 0
    assert ends[full].stable == ends[full].high == placed[-1].offset + 1
    assert ends[empty] == (0, 0, 0)


async def test_partitions_that_do_not_exist_are_missing_from_the_ends(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    asked = [TopicPartition(name, 0), TopicPartition(name, 5), TopicPartition("contract.none", 0)]
    assert set(await log.ends(asked)) == {TopicPartition(name, 0)}


async def test_offsets_for_time_find_the_first_record_at_or_after_it(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    partition = TopicPartition(name, 0)
    placed = []
    for _ in range(3):
        placed += await log.append(numbered(name, 2))
        await asyncio.sleep(0.02)
    middle = placed[2].timestamp
    assert await log.offsets_for_time([partition], middle) == {partition: placed[2].offset}
    assert await log.offsets_for_time([partition], middle + 1) == {partition: placed[4].offset}
    assert await log.offsets_for_time([partition], 0) == {partition: 0}


async def test_offsets_for_a_time_to_come_are_the_end(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(partitions=2)
    await log.append([NewRecord(name, b"k", b"v", partition=0) for _ in range(3)])
    both = [TopicPartition(name, 0), TopicPartition(name, 1)]
    ends = await log.ends(both)
    found = await log.offsets_for_time(both, time.time_ns() // 1_000_000 + 3_600_000)
    assert found == {partition: ends[partition].high for partition in both}


async def test_a_record_over_the_limit_is_refused_with_its_batch(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    with pytest.raises(RecordTooLarge):
        await log.append([NewRecord(name, b"k", b"small"), NewRecord(name, b"k", b"x" * (MAX_RECORD_BYTES + 1))])
    with pytest.raises(RecordTooLarge):
        await log.append([NewRecord(name, b"k", b"", (("h", b"x" * MAX_RECORD_BYTES),))])
    partition = TopicPartition(name, 0)
    assert (await log.ends([partition]))[partition].high == 0


async def test_a_record_just_under_the_limit_passes_whole(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    value = bytes(range(256)) * 4000
    await log.append([NewRecord(name, b"k", value)])
    (record,) = await take(await log.reader({TopicPartition(name, 0): 0}), 1)
    assert record.value == value


async def test_a_compacted_topic_refuses_records_without_a_key(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(config={"cleanup.policy": "compact"})
    with pytest.raises(CoordinationError):
        await log.append([NewRecord(name, None, b"nobody could ever replace it")])
    partition = TopicPartition(name, 0)
    assert (await log.ends([partition]))[partition].high == 0


async def test_an_unknown_topic_or_partition_is_named(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    with pytest.raises(UnknownTopic, match=r"contract\.missing"):
        await log.append([NewRecord("contract.missing", b"k", b"v")])
    with pytest.raises(UnknownTopic, match=name):
        await log.append([NewRecord(name, b"k", b"v", partition=9)])
    with pytest.raises(UnknownTopic, match=r"contract\.missing"):
        await (await log.reader({TopicPartition("contract.missing", 0): 0})).read(1, 0.5)


async def test_an_offset_the_log_does_not_have_is_an_error_never_a_skip(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    await log.append(numbered(name, 3))
    reader = await log.reader({TopicPartition(name, 0): 1000})
    with pytest.raises(OffsetOutOfRange, match=name):
        await reader.read(10, 5.0)
    assert reader.positions()[TopicPartition(name, 0)] == 1000
    await reader.close()


async def test_a_thousand_concurrent_appends_are_all_kept(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(partitions=6)
    answers = await asyncio.gather(*(log.append([NewRecord(name, b"%d" % (n % 50), b"%d" % n)]) for n in range(1000)))
    records = await take(await log.reader({TopicPartition(name, number): 0 for number in range(6)}), 1000)
    stored = {(record.partition, record.offset): int(record.value or b"") for record in records}
    assert len(stored) == 1000
    assert [stored[at.partition, at.offset] for (at,) in answers] == list(range(1000))
