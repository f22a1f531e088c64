"""A group is moved only when it is not at work, with a plan before and an entry in the trail."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.memorylog import MemoryLog
from dashboard.models import Audit
from dashboard.offsetreset import NotSafe, apply, note, plan, safe_commits, targets
from tests.dashboard.scenes import task

pytestmark = pytest.mark.django_db(transaction=True)
TOPIC = "coord.run.task.commands"
FIRST, SECOND = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)
GROUP = "agent.payer"


@pytest.fixture
async def log() -> MemoryLog:
    log = MemoryLog()
    await log.create_topics([TopicSpec(TOPIC, 2)])
    await log.append([NewRecord(TOPIC, b"k", b"{}", partition=0) for _ in range(10)])
    await log.set_commits(GROUP, {FIRST: 6})
    return log


async def test_the_plan_says_what_is_read_again_and_what_is_skipped(log: MemoryLog) -> None:
    given: dict[str, Any] = {"agent_group": "payer", "command_partition": 0}
    for offset, state in ((2, "completed"), (4, "completed"), (7, "requested")):
        await sync_to_async(task)(f"t{offset}", state=state, command_offset=offset, ended_at=None, **given)
    before = await log.commits(GROUP)
    back = await sync_to_async(plan)(GROUP, before, await targets(log, GROUP, TOPIC, "3"))
    assert [(move.where, move.before, move.after, move.tasks) for move in back if move.before] == [(FIRST, 6, 3, 1)]
    on = await sync_to_async(plan)(GROUP, before, await targets(log, GROUP, TOPIC, "latest"))
    assert [(move.after, move.waiting) for move in on if move.before] == [(10, 1)]


async def test_an_empty_group_is_moved_and_the_trail_says_from_where(log: MemoryLog) -> None:
    before = await safe_commits(log, GROUP, look_again=0.01)
    moves = await sync_to_async(plan)(GROUP, before, {FIRST: 0})
    await apply(log, GROUP, moves)
    await sync_to_async(note)(GROUP, moves, "lena")
    assert (await log.commits(GROUP))[FIRST] == 0
    entry = await Audit.objects.aget()
    assert (entry.act, '"coord.run.task.commands-0":[6,0]' in entry.detail) == ("group.reset", True)


async def test_a_group_with_members_is_left_alone(log: MemoryLog) -> None:
    member = await log.join(GROUP, [TOPIC], client_id="payer-1")
    with pytest.raises(NotSafe, match="payer-1"):
        await safe_commits(log, GROUP, look_again=0.01)
    await member.close()


async def test_a_group_that_looks_empty_but_commits_is_left_alone(log: MemoryLog, monkeypatch: Any) -> None:
    asked = iter([{FIRST: 6}, {FIRST: 7}])

    async def commits(group: str) -> dict[TopicPartition, int]:
        return next(asked)

    monkeypatch.setattr(log, "commits", commits)
    with pytest.raises(NotSafe, match="moved"):
        await safe_commits(log, GROUP, look_again=0.01)
