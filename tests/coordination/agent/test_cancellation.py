"""Requests to cancel: answered by an end or by a refusal, never held back by work that waits."""

import asyncio

from coordination.agent import Retry, TaskContext
from tests.coordination.agent.stage import Stage


async def slow(stage: Stage, cancelable: bool = True, **limits: int) -> asyncio.Event:
    """A group whose tasks take until the event that is returned is set."""
    agent = stage.agent("worker", **limits)
    go = asyncio.Event()

    @agent.task("work", cancelable=cancelable)
    async def work(task: TaskContext) -> None:
        await go.wait()

    stage.start(agent)
    return go


async def test_a_running_task_is_canceled(stage: Stage) -> None:
    await slow(stage)
    task_id = await stage.client.request("run-1", "work", "worker")
    await stage.until("task.started")
    await stage.client.cancel("run-1", task_id, "worker", "no longer needed")
    (canceled,) = await stage.until("task.canceled")
    assert canceled.data.reason == "no longer needed"
    assert (await stage.task(task_id)).state == "canceled"


async def test_a_task_that_must_not_be_stopped_declines_and_completes(stage: Stage) -> None:
    go = await slow(stage, cancelable=False)
    task_id = await stage.client.request("run-1", "work", "worker")
    await stage.until("task.started")
    await stage.client.cancel("run-1", task_id, "worker")
    await stage.until("task.cancel.declined")
    go.set()
    await stage.until("task.completed")
    assert "task.canceled" not in await stage.told(task_id)


async def test_a_task_that_waits_for_a_slot_is_canceled_without_beginning(stage: Stage) -> None:
    go = await slow(stage, concurrency=1)
    await stage.client.request("run-1", "work", "worker", task_id="first")
    await stage.until("task.started")
    await stage.client.request("run-1", "work", "worker", task_id="second")
    await stage.until("task.accepted", task_id="second")
    await stage.client.cancel("run-1", "second", "worker")
    await stage.until("task.canceled", task_id="second")
    go.set()
    await stage.until("task.completed", task_id="first")
    assert await stage.told("second") == ["task.accepted", "task.canceled"]


async def test_a_task_is_canceled_though_a_hundred_others_wait_before_it(stage: Stage) -> None:
    go = await slow(stage, concurrency=1, prefetch=2)
    for number in range(100):
        await stage.client.request("run-1", "work", "worker", task_id=f"t{number}")
    await stage.until("task.started")
    await stage.client.cancel("run-1", "t99", "worker", "the last one")
    await stage.until("task.canceled", task_id="t99")
    assert len(await stage.until("task.accepted")) < 30
    go.set()
    await stage.until("task.completed", count=99, every=0.2)
    assert await stage.told("t99") in (["task.canceled"], ["task.accepted", "task.canceled"])


async def test_a_task_that_waits_for_its_next_attempt_is_canceled(stage: Stage) -> None:
    patient = stage.agent("patient", retry=Retry(attempts=3, base=60))

    @patient.task("work")
    async def later(task: TaskContext) -> None:
        raise OSError("not now")

    stage.start(patient)
    task_id = await stage.client.request("run-1", "work", "patient")
    await stage.until("task.attempt.failed")
    await stage.client.cancel("run-1", task_id, "patient")
    await stage.until("task.canceled")


async def test_a_task_that_waits_for_a_person_is_canceled(stage: Stage) -> None:
    agent = stage.agent("worker")

    @agent.task("work")
    async def work(task: TaskContext) -> None:
        await task.approve("delete", {"what": "all"})

    stage.start(agent)
    task_id = await stage.client.request("run-1", "work", "worker")
    await stage.until("task.paused")
    await stage.client.cancel("run-1", task_id, "worker")
    await stage.until("task.canceled")
    (request,) = await stage.until("approval.requested")
    await stage.decide(request)
    (refused,) = await stage.until("decision.refused")
    assert refused.data.reason == "withdrawn"


async def test_cancelling_what_has_ended_changes_nothing(stage: Stage) -> None:
    go = await slow(stage)
    go.set()
    task_id = await stage.client.request("run-1", "work", "worker")
    await stage.until("task.completed")
    await stage.client.cancel("run-1", task_id, "worker")
    await stage.client.request("run-1", "work", "worker", task_id="next")
    await stage.until("task.completed", task_id="next")
    assert (await stage.told(task_id))[-1] == "task.completed"


async def test_canceling_a_task_cancels_the_sub_task_it_waits_for(stage: Stage) -> None:
    await slow(stage)
    agent = stage.agent("planner")

    @agent.task("plan")
    async def plan(task: TaskContext) -> None:
        await task.request("work", "worker")

    stage.start(agent)
    task_id = await stage.client.request("run-1", "plan", "planner")
    await stage.until("task.started", count=2)
    await stage.client.cancel("run-1", task_id, "planner")
    await stage.until("task.canceled", count=2)
