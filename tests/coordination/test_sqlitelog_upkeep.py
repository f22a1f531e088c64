"""Rules of the SQLite log's upkeep: retention, compaction, merging, freed space."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.errors import OffsetOutOfRange
from coordination.eventlog import NewRecord, Record, TopicPartition, TopicSpec
from coordination.sqlitelog import SqliteLog, upkeep
from coordination.sqlitelog.upkeep import Upkeep
from tests.coordination.adapters import take

TOPIC = "t"
ONLY = TopicPartition(TOPIC, 0)
DAY = 86_400_000


class Clock:
    """A clock that stands where it was set, in ms."""

    now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def log(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteLog]:
    opened = SqliteLog(tmp_path / "log.sqlite3", clock=clock)
    yield opened
    await opened.close()


async def create(log: SqliteLog, **config: Any) -> None:
    named = {name.replace("_", "."): str(value) for name, value in config.items()}
    await log.create_topics([TopicSpec(TOPIC, 1, config=named)])


async def append(log: SqliteLog, *values: tuple[bytes, bytes | None]) -> None:
    """One append each, so that each stands in a chunk of its own."""
    for key, value in values:
        await log.append([NewRecord(TOPIC, key, value)])


async def kept(log: SqliteLog) -> list[Record]:
    begin, _, high = (await log.ends([ONLY]))[ONLY]
    reader = await log.reader({ONLY: begin})
    found: list[Record] = []
    while reader.positions()[ONLY] < high:
        found.extend(await reader.read(100, 0))
    return found


def chunks(log: SqliteLog) -> int:
    with sqlite3.connect(log.path) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM chunks")
    connection.close()
    return int(count)


async def test_records_older_than_retention_are_deleted_and_readers_told(log: SqliteLog, clock: Clock) -> None:
    await create(log, retention_ms=DAY)
    await append(log, (b"k", b"old"), (b"k", b"old too"))
    early = await log.reader({ONLY: 0})
    clock.now = DAY
    await append(log, (b"k", b"young"))
    assert await log.maintain(2 * DAY - 1) == Upkeep(expired=2, purged=2)
    assert (await log.ends([ONLY]))[ONLY] == (2, 3, 3)
    assert [(record.offset, record.value) for record in await kept(log)] == [(2, b"young")]
    with pytest.raises(OffsetOutOfRange, match="2 to 3"):
        await early.read(10, 0)


async def test_retention_in_the_middle_of_a_read_is_an_error_never_a_skip(log: SqliteLog, clock: Clock) -> None:
    await create(log, retention_ms=DAY)
    await append(log, *[(b"k", b"%d" % number) for number in range(10)])
    reader = await log.reader({ONLY: 0})
    assert len(await reader.read(3, 0)) == 3
    _, stands = log.source.stands(-1)
    stand = stands[ONLY]
    assert stand is not None
    await log.maintain(5 * DAY)
    with pytest.raises(OffsetOutOfRange):
        log.source.fetch(ONLY, stand, 3, 10, False)
    with pytest.raises(OffsetOutOfRange):
        await reader.read(3, 0)


async def test_a_topic_may_lose_everything_and_goes_on_where_it_was(log: SqliteLog) -> None:
    await create(log, retention_ms=DAY)
    await append(log, (b"k", b"1"), (b"k", b"2"))
    await log.maintain(3 * DAY)
    assert (await log.ends([ONLY]))[ONLY] == (2, 2, 2)
    await append(log, (b"k", b"3"))
    assert [record.offset for record in await kept(log)] == [2]


@pytest.mark.parametrize("retention", ["-1", "not a number"])
async def test_without_a_limit_nothing_is_deleted_before_a_week(log: SqliteLog, retention: str) -> None:
    await create(log, retention_ms=retention)
    await append(log, (b"k", b"v"))
    assert (await log.maintain(6 * DAY)).expired == 0
    assert (await log.maintain(365 * DAY)).expired == (0 if retention == "-1" else 1)


async def test_more_bytes_than_retained_are_deleted_oldest_first(log: SqliteLog) -> None:
    await create(log, retention_ms=-1, retention_bytes=3_500)
    await append(log, *[(b"k", bytes(1000)) for _ in range(6)])
    await log.maintain(0)
    assert [record.offset for record in await kept(log)] == [3, 4, 5]


async def test_compaction_keeps_the_last_record_of_each_key_at_its_offset(log: SqliteLog) -> None:
    await create(log, cleanup_policy="compact")
    await append(log, (b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"c", b"1"), (b"a", b"3"))
    assert (await log.maintain(0)).compacted == 2
    assert [(record.offset, record.value) for record in await kept(log)] == [(1, b"1"), (3, b"1"), (4, b"3")]
    assert (await log.ends([ONLY]))[ONLY] == (0, 5, 5)
    assert chunks(log) == 1


async def test_compaction_waits_until_half_of_the_records_are_new(log: SqliteLog) -> None:
    await create(log, cleanup_policy="compact")
    await append(log, *[(b"%d" % number, b"1") for number in range(10)])
    await log.maintain(0)
    await append(log, *[(b"%d" % number, b"2") for number in range(9)])
    assert (await log.maintain(0)).compacted == 0
    await append(log, (b"9", b"2"))
    assert (await log.maintain(0)).compacted == 10


async def test_a_tombstone_outlives_its_record_by_a_day(log: SqliteLog) -> None:
    await create(log, cleanup_policy="compact", min_cleanable_dirty_ratio=0)
    await append(log, (b"a", b"1"), (b"a", None))
    assert (await log.maintain(DAY - 1)).compacted == 1
    assert [record.value for record in await kept(log)] == [None]
    await append(log, (b"b", b"1"))
    assert (await log.maintain(DAY)).compacted == 1
    assert [record.value for record in await kept(log)] == [b"1"]


async def test_records_younger_than_the_compaction_lag_stay(log: SqliteLog, clock: Clock) -> None:
    await create(log, cleanup_policy="compact", min_compaction_lag_ms=1000)
    await append(log, (b"a", b"1"), (b"a", b"2"))
    clock.now = 500
    await append(log, (b"a", b"3"))
    assert (await log.maintain(1000)).compacted == 1
    assert [record.value for record in await kept(log)] == [b"2", b"3"]


async def test_a_reader_gets_past_the_gaps_that_compaction_left(log: SqliteLog) -> None:
    await create(log, cleanup_policy="compact", min_cleanable_dirty_ratio=0, delete_retention_ms=0)
    await append(log, *[(b"a", b"%d" % number) for number in range(300)], (b"a", None))
    await log.maintain(1)
    reader = await log.reader({ONLY: 7})
    assert list(await reader.read(10, 0)) == []
    assert reader.positions() == {ONLY: 301}
    await append(log, (b"a", b"next"))
    assert [record.offset for record in await take(reader, 1)] == [301]


async def test_single_appends_are_merged_into_full_chunks_and_read_the_same(log: SqliteLog) -> None:
    await create(log)
    await append(log, *[(b"%d" % number, b"%d" % number) for number in range(600)])
    before = await kept(log)
    assert chunks(log) == 600
    assert (await log.maintain(0)).merged == 510
    assert chunks(log) == 2 + 88
    assert await kept(log) == before
    assert await log.maintain(0) == Upkeep()
    assert await log.offsets_for_time([ONLY], 1) == {ONLY: 600}


async def test_the_records_of_a_deleted_topic_are_purged_and_its_space_given_back(log: SqliteLog) -> None:
    await create(log)
    await append(log, *[(b"k", bytes(100_000)) for _ in range(30)])
    with sqlite3.connect(log.path) as connection:
        ((before,),) = connection.execute("PRAGMA page_count")
        await log.delete_topic(TOPIC)
        assert (await log.maintain(0)).purged == 30
        ((after,),) = connection.execute("PRAGMA page_count")
    connection.close()
    assert chunks(log) == 0
    assert after < before / 4


async def test_appends_go_on_while_another_handle_keeps_up(log: SqliteLog, tmp_path: Path) -> None:
    await create(log, cleanup_policy="compact", min_cleanable_dirty_ratio=0)
    other = SqliteLog(tmp_path / "log.sqlite3")
    for round_ in range(10):
        await append(log, *[(b"%d" % (number % 7), b"%d" % (round_ * 20 + number)) for number in range(20)])
        await other.maintain(0)
    last = {record.key: record.value for record in await kept(log)}
    await other.close()
    assert len(await kept(log)) == len(last) == 7
    assert last[b"5"] == b"199"


async def test_what_another_process_did_since_it_was_planned_is_not_done_twice(log: SqliteLog) -> None:
    await create(log, cleanup_policy="compact", min_cleanable_dirty_ratio=0)
    await append(log, *[(b"a", b"%d" % number) for number in range(50)])
    planned = upkeep._plan(log.path, 0)
    done = [await log._writer.run(job) for job in planned * 2]
    assert [step.compacted for step in done if step.compacted] == [49]
    assert [(record.offset, record.value) for record in await kept(log)] == [(49, b"49")]


async def test_what_expired_since_it_was_planned_stays_gone(log: SqliteLog) -> None:
    await create(log, cleanup_policy="compact,delete", retention_ms=DAY)
    await append(log, *[(b"a", b"%d" % number) for number in range(50)])
    planned = upkeep._plan(log.path, 0)
    assert planned
    assert (await log.maintain(2 * DAY)).expired == 50
    assert [await log._writer.run(job) for job in planned] == [Upkeep()] * len(planned)
    assert chunks(log) == 0


appends = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.none() | st.binary(max_size=2)), max_size=12)


@settings(max_examples=40)
@given(st.lists(appends, min_size=1, max_size=5))
def test_compaction_never_loses_what_a_key_says_last(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[tuple[bytes, bytes | None]]]
) -> None:
    async def play() -> None:
        log = SqliteLog(tmp_path_factory.mktemp("compaction") / "log.sqlite3", clock=Clock())
        await create(log, cleanup_policy="compact", min_cleanable_dirty_ratio=0)
        said: dict[bytes | None, bytes | None] = {}
        for values in rounds:
            await append(log, *values)
            said |= dict(values)
            await log.maintain(0)
            found = await kept(log)
            assert {record.key: record.value for record in found} == said
            assert [record.offset for record in found] == sorted(record.offset for record in found)
        await log.close()

    asyncio.run(play())
