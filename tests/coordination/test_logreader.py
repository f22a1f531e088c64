"""Rules of readers of our own logs: turns, waiting, what a change under way does."""

import asyncio
import time

import pytest

from coordination.errors import OffsetOutOfRange
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.logreader import LogReader
from coordination.memorylog import MemoryLog

TOPIC = "t"
ZERO, ONE = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)


@pytest.fixture
async def log() -> MemoryLog:
    log = MemoryLog()
    await log.create_topics([TopicSpec(TOPIC, 2)])
    return log


async def fill(log: MemoryLog, partition: int, count: int) -> None:
    await log.append([NewRecord(TOPIC, b"k", b"%d" % number, partition=partition) for number in range(count)])


async def test_partitions_take_turns(log: MemoryLog) -> None:
    await fill(log, 0, 10)
    await fill(log, 1, 10)
    reader = LogReader(log.source, {ZERO: 0, ONE: 0})
    turns = [{record.partition for record in await reader.read(5, 0)} for _ in range(4)]
    assert turns == [{0}, {1}, {0}, {1}]


async def test_a_read_is_filled_up_from_several_partitions(log: MemoryLog) -> None:
    await fill(log, 0, 3)
    await fill(log, 1, 3)
    reader = LogReader(log.source, {ZERO: 0, ONE: 0})
    assert len(await reader.read(5, 0)) == 5
    assert len(await reader.read(5, 0)) == 1


async def test_paused_partitions_keep_their_position(log: MemoryLog) -> None:
    await fill(log, 0, 3)
    await fill(log, 1, 3)
    reader = LogReader(log.source, {ZERO: 0, ONE: 0})
    assert {record.partition for record in reader.take(10, {ZERO})} == {1}
    assert reader.positions() == {ZERO: 0, ONE: 3}
    assert len(reader.take(10)) == 3


async def test_a_new_assignment_keeps_the_positions_of_what_stays(log: MemoryLog) -> None:
    await fill(log, 0, 5)
    await fill(log, 1, 5)
    reader = LogReader(log.source, {ZERO: 0})
    reader.take(2)
    reader.assign({ZERO: 0, ONE: 4})
    assert reader.positions() == {ZERO: 2, ONE: 4}
    reader.assign({ONE: 0})
    assert [(record.partition, record.offset) for record in reader.take(10)] == [(1, 4)]


async def test_seeking_out_of_range_is_told_at_the_next_read_and_can_be_mended(log: MemoryLog) -> None:
    await fill(log, 0, 2)
    reader = LogReader(log.source, {ZERO: 0})
    reader.take(10)
    await reader.seek(ZERO, 5)
    for _ in range(2):
        with pytest.raises(OffsetOutOfRange, match=r"t\[0\] has offsets 0 to 2, not 5"):
            await reader.read(1, 0)
    await reader.seek(ZERO, 1)
    assert [record.offset for record in await reader.read(1, 0)] == [1]


async def test_with_resets_a_truncated_partition_goes_on_at_its_beginning(log: MemoryLog) -> None:
    await fill(log, 0, 5)
    reader = LogReader(log.source, {ZERO: 0}, resets=True)
    reader.take(1)
    log.truncate(ZERO, 3)
    assert [record.offset for record in reader.take(10)] == [3, 4]


async def test_with_resets_a_deleted_partition_is_waited_for(log: MemoryLog) -> None:
    await fill(log, 0, 5)
    reader = LogReader(log.source, {ZERO: 0}, resets=True)
    reader.take(3)
    await log.delete_topic(TOPIC)
    assert reader.take(10) == []
    await log.create_topics([TopicSpec(TOPIC, 2)])
    await fill(log, 0, 5)
    assert [record.offset for record in reader.take(10)] == [0, 1, 2, 3, 4]


async def test_closing_ends_a_waiting_read(log: MemoryLog) -> None:
    reader = LogReader(log.source, {ZERO: 0})
    waiting = asyncio.create_task(reader.read(1, 60))
    await asyncio.sleep(0.01)
    await reader.close()
    assert list(await asyncio.wait_for(waiting, 1)) == []


async def test_a_change_elsewhere_does_not_end_a_wait_early(log: MemoryLog) -> None:
    reader = LogReader(log.source, {ZERO: 0})
    waiting = asyncio.create_task(reader.read(1, 0.3))
    started = time.monotonic()
    await asyncio.sleep(0.05)
    await fill(log, 1, 1)
    assert list(await waiting) == []
    assert time.monotonic() - started >= 0.25
