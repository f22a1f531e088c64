"""Choreography: groups that act on facts, once for each."""

import pytest

from coordination.agent import FactContext, TaskContext
from coordination.errors import CoordinationError
from coordination.eventlog import NewRecord
from tests.coordination.agent.stage import Stage


async def archive(stage: Stage, broken: list[bool]) -> list[str]:
    """A group that archives what was completed, and one whose work is archived."""
    seen: list[str] = []
    archivist = stage.agent("archivist")

    @archivist.on("task.completed", when=lambda event: event.agent_group == "writer")
    async def completed(fact: FactContext) -> None:
        seen.append(fact.event.task_id)
        if broken:
            raise OSError("no space")
        fact.request("archive", "archivist", input=fact.event.data.output)

    @archivist.task("archive")
    async def store(task: TaskContext) -> None: ...

    writer = stage.agent("writer")

    @writer.task("write")
    async def write(task: TaskContext) -> str:
        return "text"

    stage.start(archivist)
    stage.start(writer)
    return seen


async def test_a_fact_makes_others_act_in_the_same_run(stage: Stage) -> None:
    seen = await archive(stage, [])
    task_id = await stage.client.request("run-1", "write", "writer")
    (completed,) = await stage.until("task.completed", task_id=task_id)
    (command,) = [event for event in await stage.until("task.requested", count=2) if event.task_id != task_id]
    await stage.until("task.completed", task_id=command.task_id)
    assert (command.run_id, command.causation_id, command.parent_task_id) == ("run-1", completed.id, task_id)
    assert command.data.input == "text"
    assert seen == [task_id]


async def test_a_fact_delivered_again_is_acted_upon_once(stage: Stage) -> None:
    seen = await archive(stage, [])
    task_id = await stage.client.request("run-1", "write", "writer")
    await stage.until("task.completed", count=2)
    fact = next(r for r in await stage.records("run.task.events") if dict(r.headers)["ce_agentgroup"] == b"writer")
    completed = [r for r in await stage.records("run.task.events") if dict(r.headers)["ce_type"].endswith(b"completed")]
    again = next(r for r in completed if dict(r.headers)["ce_taskid"] == task_id.encode())
    assert fact is not None
    await stage.put(NewRecord(again.topic, again.key, again.value, tuple(again.headers)))
    await stage.client.request("run-1", "write", "writer", task_id="next")
    await stage.until("task.completed", count=5)
    assert seen == [task_id, "next"]


async def test_a_fact_whose_handler_fails_is_retried_and_then_kept_as_dead_letter(stage: Stage) -> None:
    seen = await archive(stage, [True])
    await stage.client.request("run-1", "write", "writer")
    await stage.until("record.deadlettered")
    (letter,) = await stage.records("dlq.run")
    assert dict(letter.headers)["__dlq.errors.topic"] == b"coord.run.task.events"
    assert len(seen) == 3


async def test_a_redriven_fact_is_acted_upon_after_all(stage: Stage) -> None:
    broken = [True]
    await archive(stage, broken)
    await stage.client.request("run-1", "write", "writer")
    await stage.until("record.deadlettered")
    broken.clear()
    (letter,) = await stage.records("dlq.run")
    original = [pair for pair in letter.headers if "errors." not in pair[0]]
    await stage.put(NewRecord("coord.run.task.events", letter.key, letter.value, tuple(original)))
    await stage.until("task.requested", count=2)


@pytest.mark.parametrize("name", ["approval.granted", "task.requested", "no.such.fact"])
def test_only_facts_that_agents_may_read_can_be_subscribed_to(name: str) -> None:
    with pytest.raises(CoordinationError, match="no fact"):
        Stage().agent("archivist").on(name)
