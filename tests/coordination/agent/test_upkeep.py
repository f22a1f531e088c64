"""Forgetting: what ended long ago leaves the log, what is open stays."""

import asyncio
from typing import Any

import pytest

from coordination.agent import TaskContext
from coordination.agent import term as term_module
from tests.coordination.agent.stage import Stage


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term_module, "FORGET_EVERY", 0.1)
    monkeypatch.setattr(term_module, "COMMIT_EVERY", 0.05)


async def test_ended_work_is_forgotten_after_its_time_and_open_work_is_not(stage: Stage) -> None:
    agent = stage.agent("worker", remember=0.2)

    @agent.task("work")
    async def work(task: TaskContext) -> Any:
        if task.input == "wait":
            await task.approve("go", {})

    stage.start(agent)
    await stage.client.request("run-1", "work", "worker", task_id="waits", input="wait")
    await stage.client.request("run-1", "work", "worker", task_id="done")
    await stage.until("task.completed")
    await stage.until("task.paused")
    tombstones: list[bytes | None] = []
    while not tombstones:
        await asyncio.sleep(0.05)
        tombstones = [r.key for r in await stage.records("run.state.handled") if r.value is None]
    assert tombstones == [b"worker|task|done"]
    (request,) = await stage.until("approval.requested")
    await stage.decide(request)
    await stage.until("task.completed", count=2)


async def test_work_is_remembered_for_as_long_as_was_asked(stage: Stage) -> None:
    agent = stage.agent("worker", remember=3_600)

    @agent.task("work")
    async def work(task: TaskContext) -> None: ...

    stage.start(agent)
    await stage.client.request("run-1", "work", "worker", task_id="done")
    await stage.until("task.completed")
    await stage.client.request("run-1", "work", "worker", task_id="next")
    await stage.until("task.completed", count=2)
    assert [r for r in await stage.records("run.state.handled") if r.value is None] == []
