"""Declaring an agent: what is accepted, and that fifteen lines are enough."""

import asyncio
from pathlib import Path

import pytest

from coordination.agent import Agent, Client, TaskContext, open_log
from coordination.envelope import decode
from coordination.errors import CoordinationError
from coordination.eventlog import TopicPartition
from tests.coordination.agent.stage import Stage


async def test_an_agent_on_an_address_makes_its_topics_and_closes_its_log(tmp_path: Path) -> None:
    address = f"sqlite://{tmp_path}/log.sqlite3"
    agent = Agent("greeter", log=address)
    greeted = asyncio.Event()

    @agent.task("greet")
    async def greet(task: TaskContext) -> str:
        greeted.set()
        return f"Hello {task.input}"

    stop = asyncio.Event()
    serving = asyncio.create_task(agent.serve(stop))
    log = open_log(address)
    async with asyncio.timeout(20):
        while "coord.ops.events" not in await log.topics():
            await asyncio.sleep(0.05)
        await Client(log, "caller").start_run("run-1", "greet", "greeter", input="Ada")
        await greeted.wait()
    stop.set()
    await serving
    outputs = []
    for number in range(12):
        reader = await log.reader({TopicPartition("coord.run.task.events", number): 0})
        outputs += [decode(record).data for record in await reader.read(100, 0.05)]
        await reader.close()
    assert [data.output for data in outputs if hasattr(data, "output")] == ["Hello Ada"]
    await log.close()


def test_two_handlers_for_one_type_are_a_mistake() -> None:
    agent = Agent("greeter")

    @agent.task("greet")
    async def greet(task: TaskContext) -> None: ...

    with pytest.raises(CoordinationError, match="two handlers"):
        agent.task("greet")(greet)


@pytest.mark.parametrize("name", ["", "Greeter", "a b", "-greeter", "gréeter", "x" * 200])
async def test_names_are_those_of_the_protocol(stage: Stage, name: str) -> None:
    with pytest.raises(CoordinationError, match="must consist of"):
        await Agent(name, log=stage.log).serve(asyncio.Event())


async def test_instances_of_one_agent_have_sources_of_their_own(stage: Stage) -> None:
    agent = stage.agent("greeter")
    stage.start(agent, "greeter-1")
    stage.start(agent, "greeter-1")
    first, second = await stage.until("agent.registered", count=2)
    assert first.agent_id == second.agent_id == "greeter-1"
    assert first.source != second.source
    assert first.source.startswith("/lineside/agents/greeter-1/")


async def test_public_keys_come_from_the_environment_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINESIDE_DECISION_KEYS", "{broken")
    with pytest.raises(CoordinationError, match="Public keys"):
        Agent("greeter")
