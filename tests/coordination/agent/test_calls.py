"""Tool and model calls as facts: announced, counted, priced, never showing what they should not."""

import asyncio
from typing import Any

from coordination.agent import ModelReply, TaskContext, ToolCall
from coordination.canonical import digest
from tests.coordination.agent.stage import Stage


async def look(call: ToolCall) -> Any:
    return {"secret": "of the customer"}


async def test_a_tool_call_is_started_and_completed_and_keeps_its_content_to_itself(stage: Stage) -> None:
    agent = stage.agent("researcher")

    @agent.task("search")
    async def search(task: TaskContext) -> Any:
        await task.tool("crm.read", {"customer": "Ada"}, look, tool_type="http")

    stage.start(agent)
    task_id = await stage.client.request("run-1", "search", "researcher")
    await stage.until("task.completed")
    started, completed = await stage.events("run.tool.events")
    assert started.data.tool_call_id == completed.data.tool_call_id
    assert started.data.arguments_sha256 == digest({"customer": "Ada"})
    assert (started.data.tool_name, started.data.tool_type, completed.data.result) == ("crm.read", "http", None)
    values = b"".join(record.value or b"" for record in await stage.records("run.tool.events"))
    assert b"Ada" not in values
    assert b"secret" not in values
    assert (await stage.task(task_id)).tool_calls == 1


async def test_a_result_is_shown_when_its_author_says_so(stage: Stage) -> None:
    agent = stage.agent("researcher")

    @agent.task("search")
    async def search(task: TaskContext) -> Any:
        return await task.tool("crm.read", {}, look, show_result=True)

    stage.start(agent)
    await stage.client.request("run-1", "search", "researcher")
    (completed,) = await stage.until("tool.call.completed")
    assert completed.data.result == {"secret": "of the customer"}


async def test_a_failed_call_is_a_fact_and_counts(stage: Stage) -> None:
    agent = stage.agent("researcher")

    async def broken(call: ToolCall) -> Any:
        raise ConnectionError("HTTP 410 from vendor-status")

    @agent.task("search")
    async def search(task: TaskContext) -> Any:
        try:
            await task.tool("web.get", {}, broken)
        except ConnectionError:
            return "without it"

    stage.start(agent)
    task_id = await stage.client.request("run-1", "search", "researcher")
    (failed,) = await stage.until("tool.call.failed")
    assert failed.data.error.message == "HTTP 410 from vendor-status"
    await stage.until("task.completed")
    row = await stage.task(task_id)
    assert (row.tool_calls, row.tool_failures) == (1, 1)


async def test_a_call_with_effects_is_announced_before_it_is_made(stage: Stage) -> None:
    agent = stage.agent("payer")
    announced: list[int] = []

    async def pay(call: ToolCall) -> Any:
        announced.append(len(await stage.events("run.tool.events")))
        return call.idempotency_key

    @agent.task("pay")
    async def handler(task: TaskContext) -> Any:
        return await task.tool("bank.pay", {}, pay, effects=True)

    stage.start(agent)
    await stage.client.request("run-1", "pay", "payer")
    (completed,) = await stage.until("task.completed")
    (started, _) = await stage.events("run.tool.events")
    assert announced == [1]
    assert completed.data.output == started.idempotency_key != ""


async def test_a_call_with_effects_that_returned_is_not_made_by_a_later_attempt(stage: Stage) -> None:
    agent = stage.agent("payer")
    made: list[str] = []

    async def note(call: ToolCall) -> Any:
        made.append(call.name)

    @agent.task("pay")
    async def pay(task: TaskContext) -> None:
        await task.tool("look", {}, note)
        await task.tool("pay", {}, note, effects=True)
        if task.attempt == 1:
            raise OSError("after paying")

    stage.start(agent)
    await stage.client.request("run-1", "pay", "payer")
    await stage.until("task.completed")
    assert made == ["look", "pay", "look"]


async def test_a_call_under_way_when_its_task_is_canceled_is_told_as_canceled(stage: Stage) -> None:
    agent = stage.agent("researcher")

    async def endless(call: ToolCall) -> Any:
        await asyncio.sleep(60)

    @agent.task("search")
    async def search(task: TaskContext) -> None:
        await task.tool("web.get", {}, endless)

    stage.start(agent)
    task_id = await stage.client.request("run-1", "search", "researcher")
    await stage.until("tool.call.started")
    await stage.client.cancel("run-1", task_id, "researcher", "not needed")
    (canceled,) = await stage.until("tool.call.canceled")
    assert canceled.data.reason == "not needed"


async def test_a_model_call_tells_tokens_cost_and_prompt_version(stage: Stage) -> None:
    agent = stage.agent("writer")

    async def ask() -> ModelReply:
        return ModelReply(content={"text": "…"}, tokens_in=1200, tokens_out=300, cost="0.0081", finish_reason="stop")

    @agent.task("write")
    async def write(task: TaskContext) -> Any:
        return await task.model("atlas-large", ask, prompt_version="post/3", provider="atlas")

    stage.start(agent)
    task_id = await stage.client.request("run-1", "write", "writer")
    (call,) = await stage.until("model.call.completed")
    assert (call.data.model, call.data.prompt_version, call.data.cost) == ("atlas-large", "post/3", "0.0081")
    await stage.until("task.completed")
    row = await stage.task(task_id)
    assert (row.model_calls, row.tokens_in, row.tokens_out, row.cost) == (1, 1200, 300, 8100)


async def test_a_result_that_is_no_json_fails_the_task_with_words(stage: Stage) -> None:
    agent = stage.agent("researcher")

    @agent.task("search")
    async def search(task: TaskContext) -> Any:
        return object()

    stage.start(agent)
    await stage.client.request("run-1", "search", "researcher")
    (failed,) = await stage.until("task.failed")
    assert "cannot be sent" in failed.data.error.message


async def test_an_output_too_large_to_send_fails_the_task_with_words(stage: Stage) -> None:
    agent = stage.agent("researcher")

    @agent.task("search")
    async def search(task: TaskContext) -> Any:
        return "x" * 60_000

    stage.start(agent)
    await stage.client.request("run-1", "search", "researcher")
    (failed,) = await stage.until("task.failed")
    assert "by reference" in failed.data.error.message
