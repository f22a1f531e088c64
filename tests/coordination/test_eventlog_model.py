"""Our own logs against a model: whatever is done in whatever order, a log is a list per partition."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.errors import OffsetOutOfRange
from coordination.eventlog import EventLog, NewRecord, TopicPartition, TopicSpec
from coordination.memorylog import MemoryLog
from coordination.sqlitelog import SqliteLog

TOPIC = "model"
PARTITIONS = 3
GROUP = "observer"

numbers = st.integers(0, PARTITIONS - 1)
contents = st.none() | st.binary(max_size=8)
headers = st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=4)), max_size=3).map(tuple)
records = st.builds(NewRecord, st.just(TOPIC), contents, contents, headers, numbers)
steps = st.one_of(
    st.tuples(st.just("append"), st.lists(records, min_size=1, max_size=30)),
    st.tuples(st.just("read"), st.integers(1, 40)),
    st.tuples(st.just("seek"), numbers, st.integers(0, 60)),
    st.tuples(st.just("commit"), numbers, st.integers(0, 60)),
    st.tuples(st.just("maintain")),
    st.tuples(st.just("reopen")),
)


class Model:
    """A log, and the plain lists and positions it must agree with."""

    def __init__(self, open_log: Callable[[], EventLog]) -> None:
        self.open_log = open_log
        self.log = open_log()
        self.lists: list[list[NewRecord]] = [[] for _ in range(PARTITIONS)]
        self.positions = dict.fromkeys(range(PARTITIONS), 0)
        self.commits: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        await self.log.create_topics([TopicSpec(TOPIC, PARTITIONS)])
        self.reader = await self.log.reader(self._partitions(self.positions))

    async def append(self, batch: list[NewRecord]) -> None:
        for record, at in zip(batch, await self.log.append(batch), strict=True):
            assert (at.partition, at.offset) == (record.partition, len(self.lists[at.partition]))
            self.lists[at.partition].append(record)

    async def read(self, count: int) -> None:
        if wrong := [p for p, at in self.positions.items() if at > len(self.lists[p])]:
            with pytest.raises(OffsetOutOfRange):
                await self.reader.read(count, 0)
            await self.seek(wrong[0], 0)
            return
        found = await self.reader.read(count, 0)
        assert len(found) <= count
        assert found or all(at == len(self.lists[p]) for p, at in self.positions.items())
        for record in found:
            expected = self.lists[record.partition][self.positions[record.partition]]
            assert record.offset == self.positions[record.partition]
            assert (record.key, record.value, tuple(record.headers)) == (
                expected.key,
                expected.value,
                expected.headers,
            )
            self.positions[record.partition] += 1
        assert self.reader.positions() == self._partitions(self.positions)

    async def seek(self, partition: int, offset: int) -> None:
        await self.reader.seek(TopicPartition(TOPIC, partition), offset)
        self.positions[partition] = offset

    async def commit(self, partition: int, offset: int) -> None:
        self.commits[TopicPartition(TOPIC, partition)] = offset
        await self.log.set_commits(GROUP, {TopicPartition(TOPIC, partition): offset})

    async def maintain(self) -> None:
        if isinstance(self.log, SqliteLog):
            await self.log.maintain(0)

    async def reopen(self) -> None:
        if isinstance(self.log, SqliteLog):
            await self.log.close()
            self.log = self.open_log()
            self.reader = await self.log.reader(self._partitions(self.positions))

    async def check(self) -> None:
        ends = await self.log.ends([TopicPartition(TOPIC, number) for number in range(PARTITIONS)])
        assert ends == {TopicPartition(TOPIC, p): (0, len(kept), len(kept)) for p, kept in enumerate(self.lists)}
        assert await self.log.commits(GROUP) == self.commits

    def _partitions(self, by_number: dict[int, int]) -> dict[TopicPartition, int]:
        return {TopicPartition(TOPIC, number): offset for number, offset in by_number.items()}


async def play(model: Model, script: list[tuple[Any, ...]]) -> None:
    await model.start()
    for act, *arguments in script:
        await getattr(model, act)(*arguments)
        await model.check()
    await model.log.close()


@given(st.lists(steps, max_size=25))
def test_the_memory_log_is_a_list_per_partition(script: list[tuple[Any, ...]]) -> None:
    log = MemoryLog(clock=lambda: 0)
    asyncio.run(play(Model(lambda: log), script))


@settings(max_examples=60)
@given(st.lists(steps, max_size=25))
def test_the_sqlite_log_is_a_list_per_partition(script: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Model(lambda: SqliteLog(Path(folder) / "log.sqlite3", clock=lambda: 0)), script))
