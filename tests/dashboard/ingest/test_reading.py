"""Live, a tick's worth makes a batch; behind, batches grow; idle costs nothing."""

import asyncio
import time

import pytest

from coordination.errors import LogUnreachable
from coordination.eventlog import NewRecord, Record, TopicPartition, TopicSpec
from coordination.memorylog import MemoryLog
from dashboard.ingest import reading
from dashboard.ingest.reading import BEHIND, CHUNK, LIVE, PATIENCE, TICK, LogReader

PARTITION = TopicPartition("t", 0)


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog()
    asyncio.run(log.create_topics([TopicSpec("t", 1)]))
    return log


@pytest.fixture
def reader(log):
    with asyncio.Runner() as runner:
        reader = LogReader(runner)
        reader.open(log, {PARTITION: 0})
        yield reader
        reader.close()


def append(log: MemoryLog, count: int) -> None:
    asyncio.run(log.append([NewRecord("t", b"k", b"v")] * count))


def taken(reader: LogReader) -> list[Record]:
    records: list[Record] = []
    assert reader.read(records.extend) == len(records)
    return records


def test_what_is_there_is_read_at_once(log, reader):
    append(log, 3)
    began = time.monotonic()
    assert len(taken(reader)) == 3
    assert time.monotonic() - began < PATIENCE
    assert reader.positions() == {PARTITION: 3}


def test_the_next_batch_waits_for_its_tick_so_that_a_few_come_together(log, reader):
    append(log, 1)
    taken(reader)
    append(log, 1)
    append(log, 1)
    began = time.monotonic()
    assert len(taken(reader)) == 2
    assert time.monotonic() - began > TICK / 2


def test_behind_batches_grow_and_do_not_wait(log, reader):
    append(log, LIVE + 2 * BEHIND + 10)
    began = time.monotonic()
    assert [len(taken(reader)) for _ in range(4)] == [LIVE, BEHIND, BEHIND, 10]
    assert reader._limit == LIVE
    assert time.monotonic() - began < 2


def test_nothing_comes_back_empty_after_a_while(reader, monkeypatch):
    monkeypatch.setattr(reading, "PATIENCE", 0.05)
    assert taken(reader) == []


def test_without_partitions_it_is_idle(log, monkeypatch):
    monkeypatch.setattr(reading, "PATIENCE", 0.01)
    with asyncio.Runner() as runner:
        reader = LogReader(runner)
        reader.open(log, {})
        assert taken(reader) == []
        assert reader.positions() == {}
        reader.close()


def test_a_batch_is_handed_on_in_chunks(log, reader):
    append(log, 2 * CHUNK + 5)
    sizes: list[int] = []
    reader.read(lambda records: sizes.append(len(records)))
    assert sizes == [CHUNK, CHUNK, 5]


def test_an_error_after_the_first_chunk_waits_for_the_next_batch(log, reader, monkeypatch):
    append(log, CHUNK)
    read = reader._reader.read

    async def fails_when_empty(limit, timeout):
        records = await read(limit, timeout)
        if not records:
            raise LogUnreachable("away")
        return records

    monkeypatch.setattr(reader._reader, "read", fails_when_empty)
    assert len(taken(reader)) == CHUNK
    with pytest.raises(LogUnreachable):
        taken(reader)


def test_opening_again_reads_from_there(log, reader):
    append(log, 5)
    taken(reader)
    reader.open(log, {PARTITION: 2})
    assert [record.offset for record in taken(reader)] == [2, 3, 4]


def test_between_calls_no_event_loop_is_running(reader):
    taken(reader)
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
