"""Compensation: what a task did is undone once, by its own handler, after its end."""

from typing import Any

from coordination.agent import TaskContext, ToolCall
from tests.coordination.agent.stage import Stage


async def payer(stage: Stage, undone: list[Any], fail: int = 0, slow: bool = False) -> None:
    """A group that pays and can take it back; the first `fail` tries of that fail."""
    agent = stage.agent("payer")

    async def book(call: ToolCall) -> dict[str, str]:
        return {"booking": call.idempotency_key}

    @agent.task("pay")
    async def pay(task: TaskContext) -> dict[str, Any]:
        if slow:
            await task.approve("pay", task.input)
        return {"paid": task.input["amount"]}

    @agent.compensation("pay")
    async def take_back(task: TaskContext) -> None:
        if task.attempt <= fail:
            raise OSError("bank closed")
        await task.tool("ledger.book", {"amount": task.input["amount"]}, book, effects=True)
        undone.append((task.input, task.output))

    stage.start(agent)


async def test_a_completed_task_is_undone_with_its_input_and_output(stage: Stage) -> None:
    undone: list[Any] = []
    await payer(stage, undone)
    task_id = await stage.client.request("run-1", "pay", "payer", input={"amount": "3.00"})
    await stage.until("task.completed")
    await stage.client.compensate("run-1", task_id, "payer", "paid twice")
    await stage.until("task.compensated")
    assert undone == [({"amount": "3.00"}, {"paid": "3.00"})]
    assert (await stage.told(task_id))[-2:] == ["task.compensation.started", "task.compensated"]
    assert (await stage.task(task_id)).compensation == "compensated"


async def test_a_second_request_undoes_nothing_again(stage: Stage) -> None:
    undone: list[Any] = []
    await payer(stage, undone)
    task_id = await stage.client.request("run-1", "pay", "payer", input={"amount": "3.00"})
    await stage.until("task.completed")
    await stage.client.compensate("run-1", task_id, "payer")
    await stage.until("task.compensated")
    await stage.client.compensate("run-1", task_id, "payer")
    await stage.client.request("run-1", "pay", "payer", task_id="next", input={"amount": "1.00"})
    await stage.until("task.completed", task_id="next")
    assert len(undone) == 1


async def test_a_compensation_is_retried(stage: Stage) -> None:
    undone: list[Any] = []
    await payer(stage, undone, fail=2)
    task_id = await stage.client.request("run-1", "pay", "payer", input={"amount": "3.00"})
    await stage.until("task.completed")
    await stage.client.compensate("run-1", task_id, "payer")
    await stage.until("task.compensated")
    assert len(undone) == 1


async def test_a_compensation_that_fails_says_so_and_may_be_asked_for_again(stage: Stage) -> None:
    undone: list[Any] = []
    await payer(stage, undone, fail=3)
    task_id = await stage.client.request("run-1", "pay", "payer", input={"amount": "3.00"})
    await stage.until("task.completed")
    await stage.client.compensate("run-1", task_id, "payer")
    (failed,) = await stage.until("task.compensation.failed")
    assert failed.data.error.message == "bank closed"
    assert len(await stage.records("dlq.run")) == 1
    assert (await stage.task(task_id)).compensation == "failed"


async def test_what_nobody_can_undo_is_answered_with_words(stage: Stage) -> None:
    agent = stage.agent("painter")

    @agent.task("paint")
    async def paint(task: TaskContext) -> None: ...

    stage.start(agent)
    task_id = await stage.client.request("run-1", "paint", "painter")
    await stage.until("task.completed")
    await stage.client.compensate("run-1", task_id, "painter")
    (failed,) = await stage.until("task.compensation.failed")
    assert "cannot undo" in failed.data.error.message


async def test_a_task_that_has_not_ended_is_not_undone(stage: Stage) -> None:
    undone: list[Any] = []
    await payer(stage, undone, slow=True)
    task_id = await stage.client.request("run-1", "pay", "payer", input={"amount": "3.00"})
    await stage.until("task.paused")
    await stage.client.compensate("run-1", task_id, "payer")
    await stage.until("record.deadlettered")
    assert undone == []
    assert "task.compensation.started" not in await stage.told(task_id)
