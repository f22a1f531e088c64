"""A scenario with one of everything: a tool with effects, a fan-out, a sub-task, an approval."""

import asyncio
from collections import Counter
from typing import Any

from coordination.agent import Agent, TaskContext, ToolCall
from tests.coordination.agent.stage import Stage


class Bank:
    """A place outside the log: it counts what it was told under which key."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()

    async def pay(self, call: ToolCall) -> dict[str, str]:
        """Pay, once per key as far as the caller can see."""
        self.told[call.idempotency_key] += 1
        return {"receipt": call.idempotency_key}


def payer(stage: Stage, bank: Bank, session_timeout: float = 1.0) -> Agent:
    """A group whose task does one of everything."""
    agent = stage.agent("payer", session_timeout=session_timeout)

    @agent.task("settle", ends_run=True)
    async def settle(task: TaskContext) -> Any:
        await task.tool("bank.pay", {"step": "deposit"}, bank.pay, effects=True)
        out = task.fan_out("match")
        for number in range(3):
            out.branch("work", "worker", input={"number": number})
        matched = [result.output for result in await out.join()]
        single = (await task.request("work", "worker", input={"number": 9})).required()
        decision = await task.approve("pay.rest", {"matched": matched})
        await task.tool("bank.pay", {"step": "rest"}, bank.pay, effects=True)
        return {"matched": matched, "single": single, "decision": decision.decision}

    return agent


def worker(stage: Stage) -> Agent:
    """A group whose tasks double a number."""
    agent = stage.agent("worker")

    @agent.task("work")
    async def work(task: TaskContext) -> Any:
        return task.input["number"] * 2

    return agent


async def reviewer(stage: Stage, stop: asyncio.Event) -> None:
    """Approves whatever is asked, once per request, until `stop` is set."""
    answered: set[str] = set()
    while not stop.is_set():
        for request in await stage.events("review.approval.commands"):
            if request.id not in answered:
                answered.add(request.id)
                await stage.decide(request)
        await asyncio.sleep(0.03)
