"""Signs of life: who there is, what it acts upon, what it works on."""

import asyncio

from coordination.agent import FactContext, TaskContext
from tests.coordination.agent.stage import Stage


async def test_an_instance_says_that_it_came_what_it_acts_upon_and_that_it_left(stage: Stage) -> None:
    agent = stage.agent("archivist", concurrency=3, version="1.4.2")

    @agent.task("archive")
    async def archive(task: TaskContext) -> None: ...

    @agent.on("task.completed", when=lambda event: False)
    async def completed(fact: FactContext) -> None: ...

    running = stage.start(agent, "archivist-1")
    (registered,) = await stage.until("agent.registered")
    assert registered.agent_id == "archivist-1"
    assert registered.data.subscribes_to == ("task.completed",)
    assert registered.data.task_types == ("archive",)
    assert (registered.data.capacity, registered.data.version) == (3, "1.4.2")
    await stage.stop(running)
    await stage.until("agent.deregistered")
    (row,) = (await stage.rows()).agents.values()
    assert (row.registered, row.subscribes_to) == (False, ("task.completed",))


async def test_a_heartbeat_names_what_runs_and_when_to_expect_the_next(stage: Stage) -> None:
    go = asyncio.Event()
    agent = stage.agent("worker", heartbeat=0.05)

    @agent.task("work")
    async def work(task: TaskContext) -> None:
        await go.wait()

    stage.start(agent)
    task_id = await stage.client.request("run-1", "work", "worker")
    await stage.until("task.started")
    (beat, *_) = await stage.until_some("ops.heartbeats", lambda event: event.data.running != ())
    assert beat.data.running == (task_id,)
    assert (beat.data.state, beat.data.interval_ms) == ("working", 50)
    go.set()
    await stage.until_some("ops.heartbeats", lambda event: event.data.handled == 1 and event.data.state == "idle")


async def test_every_event_of_an_instance_is_numbered_without_a_gap(stage: Stage) -> None:
    agent = stage.agent("worker")

    @agent.task("work")
    async def work(task: TaskContext) -> None:
        await task.progress(0.5, "halfway")

    running = stage.start(agent, "worker-1")
    for _ in range(5):
        await stage.client.request("run-1", "work", "worker")
    await stage.until("task.completed", count=5)
    await stage.stop(running)
    said = [
        event
        for family in ("run.task.events", "ops.events", "ops.heartbeats")
        for event in await stage.events(family)
        if event.agent_id == "worker-1"
    ]
    assert sorted(int(event.sequence or 0) for event in said) == list(range(1, len(said) + 1))
