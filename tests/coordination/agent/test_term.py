"""Joining, sharing, leaving: what an instance does at the edges of its membership."""

import asyncio
from collections import Counter

from coordination.agent import Agent, Retry, TaskContext
from coordination.errors import LogUnreachable, MemberFenced
from coordination.eventlog import TopicPartition
from coordination.memorylog import MemoryLog
from tests.coordination.agent.stage import Stage


def sleeper(stage: Stage, go: asyncio.Event, **limits: object) -> Agent:
    """A group whose tasks take until `go` is set."""
    agent = stage.agent("worker", **limits)

    @agent.task("work")
    async def work(task: TaskContext) -> int:
        await go.wait()
        return task.attempt

    return agent


async def test_an_instance_that_is_stopped_finishes_what_it_can(stage: Stage) -> None:
    go = asyncio.Event()
    running = stage.start(sleeper(stage, go))
    await stage.client.request("run-1", "work", "worker")
    await stage.until("task.started")
    asyncio.get_running_loop().call_later(0.3, go.set)
    await stage.stop(running)
    assert [event.name for event in await stage.events()][-1] == "task.completed"


async def test_an_instance_that_is_stopped_gives_back_what_it_cannot_finish_in_time(stage: Stage) -> None:
    go = asyncio.Event()
    agent = sleeper(stage, go, grace=0.1, concurrency=1)
    running = stage.start(agent)
    first = await stage.client.request("run-1", "work", "worker", task_id="first")
    await stage.until("task.started")
    await stage.client.request("run-1", "work", "worker", task_id="second")
    await stage.until("task.accepted", task_id="second")
    await stage.stop(running)
    assert await stage.told(first) == ["task.accepted", "task.started", "task.attempt.failed", "task.released"]
    assert await stage.told("second") == ["task.accepted", "task.released"]
    go.set()
    stage.start(agent)
    (completed,) = await stage.until("task.completed", task_id="first")
    assert completed.data.output == 2
    await stage.until("task.completed", task_id="second")


async def test_releases_do_not_use_up_the_tries_of_a_task(stage: Stage) -> None:
    go = asyncio.Event()
    agent = sleeper(stage, go, grace=0.0, retry=Retry(attempts=1))
    await stage.client.request("run-1", "work", "worker")
    for number in range(3):
        running = stage.start(agent)
        await stage.until("task.started", count=number + 1)
        await stage.stop(running)
    go.set()
    stage.start(agent)
    (completed,) = await stage.until("task.completed")
    assert completed.data.output == 4


async def test_two_instances_share_the_work_and_do_each_task_once(stage: Stage) -> None:
    done: Counter[str] = Counter()
    agent = stage.agent("worker")

    @agent.task("work")
    async def work(task: TaskContext) -> None:
        done[task.task_id] += 1
        await asyncio.sleep(0.01)

    stage.start(agent, "worker-1")
    stage.start(agent, "worker-2")
    for number in range(60):
        await stage.client.request("run-1", "work", "worker", task_id=f"t{number}")
    completed = await stage.until("task.completed", count=60, timeout=20)
    assert set(done.values()) == {1}
    assert {event.agent_id for event in completed} == {"worker-1", "worker-2"}


async def test_an_instance_that_joins_takes_over_without_doing_tasks_twice(stage: Stage) -> None:
    done: Counter[str] = Counter()
    agent = stage.agent("worker")

    @agent.task("work")
    async def work(task: TaskContext) -> None:
        done[task.task_id] += 1

    stage.start(agent, "worker-1")
    for number in range(40):
        await stage.client.request("run-1", "work", "worker", task_id=f"t{number}")
        if number == 20:
            stage.start(agent, "worker-2")
    await stage.until("task.completed", count=40, timeout=20)
    await stage.until("agent.registered", count=2)
    assert set(done.values()) == {1}


async def test_work_of_a_lost_instance_is_done_by_another_as_a_further_attempt(stage: Stage) -> None:
    go = asyncio.Event()
    agent = sleeper(stage, go, session_timeout=1.0)
    first = stage.start(agent, "worker-1")
    task_id = await stage.client.request("run-1", "work", "worker")
    await stage.until("task.started")
    stage.crash(first)
    go.set()
    stage.start(agent, "worker-2")
    (completed,) = await stage.until("task.completed", timeout=20)
    assert (completed.agent_id, completed.attempt) == ("worker-2", 2)
    (failed,) = await stage.until("task.attempt.failed")
    assert failed.data.error.type.endswith("WorkerLost")
    assert "worker-1" in failed.data.error.message
    assert (await stage.task(task_id)).state == "completed"


async def test_a_task_that_kills_every_instance_is_given_up(stage: Stage) -> None:
    go = asyncio.Event()
    agent = sleeper(stage, go, session_timeout=1.0, retry=Retry(attempts=10, losses=2, base=0.01))
    await stage.client.request("run-1", "work", "worker")
    for number in range(2):
        running = stage.start(agent)
        await stage.until("task.started", count=number + 1, timeout=20)
        stage.crash(running)
    stage.start(agent)
    (failed,) = await stage.until("task.failed", timeout=20)
    assert failed.attempt == 2
    assert len(await stage.records("dlq.run")) == 1


async def test_a_retry_waits_its_time_across_a_restart(stage: Stage) -> None:
    agent = stage.agent("worker", retry=Retry(attempts=2, base=1.0))

    @agent.task("work")
    async def work(task: TaskContext) -> None:
        if task.attempt == 1:
            raise OSError("later")

    running = stage.start(agent)
    await stage.client.request("run-1", "work", "worker")
    (failed,) = await stage.until("task.attempt.failed")
    await stage.stop(running)
    stage.start(agent)
    (completed,) = await stage.until("task.completed")
    assert completed.at >= failed.data.next_attempt_at.timestamp() * 1e6


async def test_positions_pass_only_what_is_done_with(stage: Stage) -> None:
    go = asyncio.Event()
    agent = sleeper(stage, go)

    @agent.task("quick")
    async def quick(task: TaskContext) -> None: ...

    stage.start(agent)
    await stage.client.request("run-1", "work", "worker", task_id="same")
    (command,) = await stage.until("task.requested")
    await stage.until("task.started")
    place = TopicPartition(command.topic, command.partition)
    voice = stage.client._voice
    later = voice.say("task.requested", run_id="run-1", task_id="x", target_group="worker", data={"task_type": "quick"})
    await stage.put(
        later.record.__class__(later.record.topic, b"x", later.record.value, later.record.headers, command.partition)
    )
    await stage.until("task.completed", task_id="x")
    await asyncio.sleep(0.7)
    assert (await stage.log.commits("agent.worker"))[place] == command.offset
    go.set()
    await stage.until("task.completed", task_id="same")
    async with asyncio.timeout(5):
        while (await stage.log.commits("agent.worker"))[place] != command.offset + 2:
            await asyncio.sleep(0.05)


class Unreliable(MemoryLog):
    """A log whose members are cut off for a while when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = False
        self.fence = 0

    async def commit_as(self, *arguments, **named):  # type: ignore[no-untyped-def]
        if self.cut:
            raise LogUnreachable("cut off")
        if self.fence:
            self.fence -= 1
            raise MemberFenced("as if it had been replaced")
        return await super().commit_as(*arguments, **named)


async def test_what_cannot_be_written_is_written_when_the_log_is_back() -> None:
    log = Unreliable()
    stage = Stage(log)
    await stage.open()
    go = asyncio.Event()
    stage.start(sleeper(stage, go))
    await stage.client.request("run-1", "work", "worker")
    await stage.until("task.started")
    log.cut = True
    go.set()
    await asyncio.sleep(0.7)
    assert "task.completed" not in [event.name for event in await stage.events()]
    log.cut = False
    await stage.until("task.completed")
    await stage.close()
    assert await stage.anomalies() == []


async def test_an_instance_refused_as_a_writer_joins_again_and_every_task_ends() -> None:
    log = Unreliable()
    stage = Stage(log)
    await stage.open()
    go = asyncio.Event()
    stage.start(sleeper(stage, go))
    await stage.client.request("run-1", "work", "worker")
    await stage.until("task.started")
    log.fence = 30
    go.set()
    await stage.until("task.completed", timeout=60, every=0.1)
    await stage.close()
    assert await stage.anomalies() == []
