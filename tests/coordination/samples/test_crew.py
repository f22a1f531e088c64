"""The crew: every group of the two workflows is there, and work gets done on the twin of the log."""

import asyncio

import pytest

from coordination.envelope import decode
from coordination.eventlog import TopicPartition
from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from coordination.samples import GROUPS, make_agent, run_crew
from coordination.samples.stage import Stage
from coordination.signing import Keyring


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_has_its_agent(group: str) -> None:
    assert make_agent(group, Stage()).group == group


def test_at_least_five_groups_take_part() -> None:
    assert len(GROUPS) >= 5


async def test_incidents_and_batches_move_on_by_themselves() -> None:
    log, stop = MemoryLog(), asyncio.Event()
    crew = asyncio.create_task(run_crew(log, stop=stop, rate=20.0, seed=7, manifest=Manifest(), keyring=Keyring()))
    seen: set[str] = set()
    wanted = {"task.completed", "task.paused", "fanin.satisfied", "tool.call.completed", "model.call.completed"}
    topics = ("coord.run.task.events", "coord.run.workflow.events", "coord.run.tool.events")
    async with asyncio.timeout(60):
        while not wanted <= seen:
            await asyncio.sleep(0.3)
            assert not crew.done(), crew.exception()
            reader = await log.reader({TopicPartition(topic, n): 0 for topic in topics for n in range(12)})
            seen |= {decode(record).name for record in await reader.read(5_000, 0.1)}
            await reader.close()
    stop.set()
    await asyncio.wait_for(crew, 20)
