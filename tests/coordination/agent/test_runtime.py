"""What becomes of a command: done, retried, given up, refused, dropped."""

import asyncio

from coordination.agent import Fatal, Rejected, TaskContext
from tests.coordination.agent.stage import Stage


async def test_a_task_is_accepted_started_and_completed_with_what_its_handler_returned(stage: Stage) -> None:
    agent = stage.agent("researcher")

    @agent.task("search")
    async def search(task: TaskContext) -> dict[str, int]:
        return {"hits": len(task.input["words"])}

    stage.start(agent)
    task_id = await stage.client.request("run-1", "search", "researcher", input={"words": ["a", "b"]})
    (completed,) = await stage.until("task.completed")
    assert completed.data.output == {"hits": 2}
    assert await stage.told(task_id) == ["task.accepted", "task.started", "task.completed"]


async def test_a_failed_attempt_is_retried_and_a_later_one_may_complete(stage: Stage) -> None:
    agent = stage.agent("researcher")

    @agent.task("search")
    async def search(task: TaskContext) -> int:
        if task.attempt < 3:
            raise ValueError("index not ready")
        return task.attempt

    stage.start(agent)
    task_id = await stage.client.request("run-1", "search", "researcher")
    (completed,) = await stage.until("task.completed")
    assert completed.data.output == 3
    row = await stage.task(task_id)
    assert [(a.number, a.outcome) for a in row.attempts] == [(1, "failed"), (2, "failed"), (3, "completed")]


async def test_the_last_failure_fails_the_task_and_keeps_its_command_byte_for_byte(stage: Stage) -> None:
    agent = stage.agent("researcher")

    @agent.task("search")
    async def search(task: TaskContext) -> None:
        raise ValueError("first line\nlast line")

    stage.start(agent)
    task_id = await stage.client.request("run-1", "search", "researcher", input={"q": "ü"})
    (failed,) = await stage.until("task.failed")
    assert failed.attempt == 3
    assert failed.data.error.type == "ValueError"
    assert failed.data.error.message.startswith("last line")
    assert "raise ValueError" in failed.data.error.stack
    (command,) = await stage.records("run.task.commands")
    (letter,) = await stage.records("dlq.run")
    assert (letter.key, letter.value) == (command.key, command.value)
    assert tuple(letter.headers[: len(command.headers)]) == tuple(command.headers)
    added = dict(letter.headers[len(command.headers) :])
    assert added["__dlq.errors.topic"] == b"coord.run.task.commands"
    assert added["__dlq.errors.group"] == b"agent.researcher"
    assert added["__dlq.errors.delivery.count"] == b"3"
    assert added["coordination.errors.exception"] == b"ValueError"
    assert (await stage.task(task_id)).state == "failed"


async def test_a_fatal_error_is_not_retried(stage: Stage) -> None:
    agent = stage.agent("researcher")

    @agent.task("search")
    async def search(task: TaskContext) -> None:
        raise Fatal("The index is gone.")

    stage.start(agent)
    task_id = await stage.client.request("run-1", "search", "researcher")
    await stage.until("task.failed")
    assert await stage.told(task_id) == ["task.accepted", "task.started", "task.failed"]


async def test_a_handler_may_reject_its_task(stage: Stage) -> None:
    agent = stage.agent("researcher")

    @agent.task("search")
    async def search(task: TaskContext) -> None:
        raise Rejected("No right to search there.")

    stage.start(agent)
    await stage.client.request("run-1", "search", "researcher")
    (rejected,) = await stage.until("task.rejected")
    assert rejected.data.reason == "No right to search there."


async def test_an_unknown_task_type_is_rejected_with_words_and_kept(stage: Stage) -> None:
    stage.start(stage.agent("researcher"))
    await stage.client.request("run-1", "paint", "researcher")
    (rejected,) = await stage.until("task.rejected")
    assert "does not know the task type 'paint'" in rejected.data.reason
    assert len(await stage.records("dlq.run")) == 1


async def test_commands_of_other_groups_are_passed_over_and_committed(stage: Stage) -> None:
    agent = stage.agent("researcher")
    done = asyncio.Event()

    @agent.task("search")
    async def search(task: TaskContext) -> None:
        done.set()

    running = stage.start(agent)
    await stage.client.request("run-1", "search", "somebody-else", task_id="theirs")
    await stage.client.request("run-1", "search", "researcher", task_id="mine")
    await done.wait()
    await stage.stop(running)
    assert await stage.told("theirs") == []
    commits = await stage.log.commits("agent.researcher")
    for record in await stage.records("run.task.commands"):
        assert commits[record.topic, record.partition] == record.offset + 1  # type: ignore[index]
