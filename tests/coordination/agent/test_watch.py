"""Watching ends: of what is followed, from where the wait began, whatever the log does meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from coordination.agent.watch import Watch
from coordination.envelope import Decoder
from coordination.errors import LogUnreachable
from coordination.event import Event
from coordination.eventlog import NewRecord, TopicPartition
from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from coordination.partitioner import partition_for
from tests.coordination.agent.stage import Stage

TOPIC = "coord.run.task.events"


class Watching:
    """A watch over a memory log, and the ends it told."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.told: list[Event] = []
        self.failing = 0
        self.watch = Watch(stage.log, TOPIC, Decoder(Manifest()))
        self.task = asyncio.create_task(self.watch.run(self.tell))

    async def tell(self, event: Event) -> None:
        self.told.append(event)
        if self.failing:
            self.failing -= 1
            raise RuntimeError("a mistake of ours")

    async def end(self, task_id: str, name: str = "task.completed", **about: Any) -> None:
        said = self.stage.client._voice.say(name, run_id="r", task_id=task_id, **about)
        await self.stage.log.append([said.record])

    async def heard(self, count: int) -> list[str]:
        async with asyncio.timeout(5):
            while len(self.told) < count:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        return [event.task_id for event in self.told]


@pytest.fixture
async def watching(stage: Stage) -> AsyncIterator[Watching]:
    made = Watching(stage)
    yield made
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)
    await made.watch.close()


@pytest.fixture
async def stage() -> Stage:
    """A stage whose facts need not make sense together."""
    made = Stage()
    await made.open()
    return made


async def test_only_ends_of_what_is_followed_are_told(watching: Watching) -> None:
    await watching.watch.since()
    for ident in ("mine", "fan"):
        watching.watch.follow(ident)
    await watching.end("other")
    await watching.end("mine", "task.started")
    await watching.end("mine")
    await watching.end("branch", "task.failed", fanout_id="fan", fanout_index=0)
    assert sorted(await watching.heard(2)) == ["branch", "mine"]


async def test_what_is_forgotten_is_told_no_more(watching: Watching) -> None:
    await watching.watch.since()
    watching.watch.follow("mine")
    watching.watch.forget("mine")
    watching.watch.follow("yours")
    await watching.end("mine")
    await watching.end("yours")
    assert await watching.heard(1) == ["yours"]


async def test_an_end_between_asking_where_and_following_is_found_by_going_back(watching: Watching) -> None:
    since = await watching.watch.since()
    await watching.end("mine")
    watching.watch.follow("other")
    await watching.end("other")
    await watching.heard(1)
    watching.watch.follow("mine")
    await watching.watch.back_to(since)
    assert "mine" in await watching.heard(2)


async def test_a_mistake_over_one_end_does_not_hide_the_next(watching: Watching) -> None:
    await watching.watch.since()
    watching.failing = 1
    watching.watch.follow("mine")
    await watching.end("mine")
    await watching.end("mine", "task.failed")
    assert await watching.heard(2) == ["mine", "mine"]


async def test_an_end_that_cannot_be_read_does_not_hide_the_next(watching: Watching) -> None:
    await watching.watch.since()
    watching.watch.follow("mine")
    headers = (("ce_type", b"coordination.task.completed"), ("ce_taskid", b"mine"))
    await watching.stage.put(NewRecord(TOPIC, b"mine", b"{}", headers))
    await watching.end("mine")
    assert await watching.heard(1) == ["mine"]


async def test_facts_that_were_deleted_unread_are_passed_over(watching: Watching) -> None:
    log = watching.stage.log
    assert isinstance(log, MemoryLog)
    await watching.end("old")
    place = TopicPartition(TOPIC, partition_for(b"old", 12))
    await watching.watch.since()
    log.truncate(place, 1)
    watching.watch.follow("old")
    await watching.watch.back_to({place.partition: 0})
    await watching.end("old")
    assert await watching.heard(1) == ["old"]


async def test_a_log_that_does_not_answer_is_waited_for(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    await watching.watch.since()
    reader = watching.watch._reader
    assert reader is not None
    read, calls = reader.read, 0

    async def away(max_records: int, timeout: float) -> object:
        nonlocal calls
        calls += 1
        if calls <= 2:
            raise LogUnreachable("away")
        return await read(max_records, timeout)

    monkeypatch.setattr(reader, "read", away)
    watching.watch.follow("mine")
    await watching.end("mine")
    assert await watching.heard(1) == ["mine"]
