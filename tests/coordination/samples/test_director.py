"""The director: run k is the same for the same seed, and a restart goes on where the log ends."""

import asyncio

import pytest

from coordination.agent import Client
from coordination.envelope import decode
from coordination.eventlog import TopicPartition
from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from coordination.samples.director import AT_ONCE, direct, start, started
from coordination.samples.stage import Stage


@pytest.fixture
async def log() -> MemoryLog:
    log = MemoryLog()
    await log.create_topics(Manifest().specs())
    return log


async def commands(log: MemoryLog, topic: str = "coord.run.task.commands") -> list[tuple[str, str, object]]:
    """(run, task type, input) of each command on the log, in order of their runs."""
    reader = await log.reader({TopicPartition(topic, number): 0 for number in range(12)})
    events = [decode(record) for record in await reader.read(1_000, 0.1)]
    await reader.close()
    return sorted((event.run_id, event.data.task_type, event.data.input) for event in events)


async def test_the_same_seed_starts_the_same_runs(log: MemoryLog) -> None:
    other = MemoryLog()
    await other.create_topics(Manifest().specs())
    for each in (log, other):
        for number in range(6):
            await start(Client(each, "director"), Stage(seed=3), number)
    assert await commands(log) == await commands(other)


async def test_another_seed_starts_other_runs(log: MemoryLog) -> None:
    ids = {await start(Client(log, "director"), Stage(seed=seed), number) for seed in (1, 2) for number in range(4)}
    assert len(ids) == 8


async def test_incidents_and_batches_take_turns(log: MemoryLog) -> None:
    ids = [await start(Client(log, "director"), Stage(), number) for number in range(4)]
    assert [run_id[:3] for run_id in ids] == ["inv", "rfb", "inv", "rfb"]


async def test_the_log_knows_how_many_runs_were_started(log: MemoryLog) -> None:
    stage = Stage(seed=3)
    assert await started(log, stage) == 0
    for number in range(5):
        await start(Client(log, "director"), stage, number)
    await start(Client(log, "director"), Stage(seed=4), 0)
    assert await started(log, stage) == 5


async def test_it_begins_with_a_handful_and_goes_on_behind_them(log: MemoryLog) -> None:
    for expected in (AT_ONCE, AT_ONCE + 1):
        stop = asyncio.Event()
        running = asyncio.create_task(direct(log, Stage(), stop))
        async with asyncio.timeout(10):
            while await started(log, Stage()) < expected:
                await asyncio.sleep(0.02)
        stop.set()
        await running
        assert await started(log, Stage()) == expected
