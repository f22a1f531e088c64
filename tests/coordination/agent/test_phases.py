"""Phases are what agents really did, told by themselves: to 5 ms, whatever their clocks say."""

import asyncio
import random
from collections import defaultdict
from typing import Any

import pytest

from coordination.agent import Agent, Retry, TaskContext
from coordination.delays import Delays, delays
from coordination.memorylog import MemoryLog
from coordination.signing import Keyring
from tests.coordination.agent.stage import DECISION_KEY, Stage
from tests.coordination.agent.virtualtime import VirtualTime

MS = 1_000
NEAR = 5 * MS
MINUTE = 60_000_000
TASKS = 12


class Diary:
    """What was really done, by task, in µs of the one true clock; `waits` is what each task waits for meanwhile."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self.spent: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.waits: dict[str, str] = {}
        self._since: dict[str, int] = {}

    def note(self, task: str, phase: str, waits: str = "") -> None:
        """From the last note on until now it was in this phase."""
        now = self._time.micros()
        self.spent[task][phase] += now - self._since.get(task, now)
        self._since[task], self.waits[task] = now, waits


def worker(stage: Stage, diary: Diary, clock: Any, seed: int) -> Agent:
    """One at a time; some tasks fail once, some ask a person."""
    rng = random.Random(seed)
    plan = {f"t{number}": (rng.random() < 0.4, rng.random() < 0.4, rng.uniform(0.2, 3.0)) for number in range(TASKS)}
    ring = Keyring.of(DECISION_KEY)
    agent = Agent("coder", log=stage.log, clock=clock, keyring=ring, concurrency=1, heartbeat=5.0, grace=2.0)

    @agent.task("work", retry=Retry(attempts=3, base=1.5, cap=2.0))
    async def work(task: TaskContext) -> None:
        name = task.input["name"]
        fails, asks, takes = plan[name]
        diary.note(name, diary.waits[name])
        if asks:
            if "review" not in diary.spent[name]:
                await asyncio.sleep(takes / 2)
                diary.note(name, "execution", "review")
            await task.approve("deed", {"name": name})
        if fails and "retry" not in diary.spent[name]:
            await asyncio.sleep(takes / 3)
            diary.note(name, "execution", "retry")
            raise TimeoutError("took too long")
        await asyncio.sleep(takes)
        diary.note(name, "execution")

    return agent


async def decided(stage: Stage, diary: Diary, done: set[str], names: dict[str, str]) -> None:
    """A person who takes two seconds for each decision."""
    for request in await stage.events("review.approval.commands"):
        if request.name == "approval.requested" and request.id not in done:
            done.add(request.id)
            await asyncio.sleep(2.0)
            await stage.decide(request)
            diary.note(names[request.task_id], "review", "returning")


async def play(time: VirtualTime, diary: Diary, clocks: list[int], found: dict[str, Delays], seed: int) -> None:
    """Twelve tasks for instances whose clocks are wrong by so many µs; the delays of each."""
    stage = Stage(MemoryLog(time.millis))
    await stage.open()
    stage.client._voice.clock = lambda: time.micros() + clocks[0]
    for number, wrong in enumerate(clocks):
        agent = worker(stage, diary, lambda wrong=wrong: time.micros() + wrong, seed)
        stage.start(agent, f"coder-{number}")
    await asyncio.sleep(5)
    run_id = "run-1"
    names: dict[str, str] = {}
    for number in range(TASKS):
        name = f"t{number}"
        task_id = await stage.client.request(run_id, "work", "coder", input={"name": name})
        names[task_id] = name
        diary.note(name, "waiting", "waiting")
        await asyncio.sleep(0.3)
    done: set[str] = set()
    while len({event.task_id for event in await stage.events() if event.name == "task.completed"}) < TASKS:
        await decided(stage, diary, done, names)
        await asyncio.sleep(0.05)
    rows = await stage.rows()
    found |= {names[task.task_id]: delays(task, time.micros()) for task in rows.tasks.values()}
    await stage.close()


def played(clocks: list[int], seed: int = 3) -> tuple[Diary, dict[str, Delays]]:
    time, found = VirtualTime(), dict[str, Delays]()
    diary = Diary(time)
    time.run(play(time, diary, clocks, found, seed))
    return diary, found


REALLY: dict[str, tuple[str, ...]] = {
    "execution": ("execution",),
    "review": ("human_review",),
    "returning": ("decision_returning",),
    "waiting retry": ("in_broker", "agent_queue", "retry_backoff"),
}


@pytest.mark.parametrize("clocks", [[0, 0], [10 * MINUTE, -10 * MINUTE]])
def test_phases_are_what_the_agents_really_did_whatever_their_clocks_say(clocks: list[int]) -> None:
    diary, found = played(clocks)
    assert len(found) == TASKS
    assert {"retry", "review", "returning"} <= {phase for spent in diary.spent.values() for phase in spent}
    for name, told in found.items():
        parts = told.parts()
        assert sum(parts.values()) == told.wall
        assert parts.get("unattributed", 0) <= told.wall // 100
        for really, phases in REALLY.items():
            spent = sum(diary.spent[name].get(one, 0) for one in really.split())
            assert abs(sum(parts.get(one, 0) for one in phases) - spent) <= NEAR, (name, really, spent, parts)
