"""The demo's agents as processes of their own on Kafka, two of a group, of which one is killed while it works."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from coordination.event import Event
from coordination.kafkalog import open_kafkalog
from coordination.manifest import Manifest
from coordination.samples import GROUPS
from coordination.samples.director import start
from coordination.samples.stage import Stage as Setting
from coordination.signing import Keyring
from coordination.tasks import TERMINAL
from tests.coordination.agent.settling import reviewer
from tests.coordination.agent.stage import DECISION_KEY, Stage
from tests.services.kafka import KafkaBroker

RATE = 4.0
RUNS = 4
# Groups of two instances, and which of their tasks is interrupted: none that may fail by its own input.
VICTIMS = {"logreader": "search-logs", "payer": "transfer"}
PATIENCE = 240.0
# What must not happen twice; a task does each of them at most once.
EFFECTS = ("psp.refund", "psp.cancel", "statuspage.post", "wiki.publish")
ENDS = ("run.completed", "run.failed", "run.canceled")


class Agents:
    """Instances of the sample agents, each a process; `kill` ends one as if the power were cut."""

    def __init__(self, stack: ExitStack, address: str, namespace: str, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        self._options = ["--log", address, "--namespace", namespace, "--rate", str(RATE)]
        self._environment = os.environ | {"LINESIDE_DECISION_KEYS": Keyring.of(DECISION_KEY).text()}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, group: str, number: int) -> None:
        """One instance, `group-number`."""
        name = f"{group}-{number}"
        output = self._stack.enter_context((self._folder / f"{name}.log").open("wb"))
        command = [sys.executable, "-m", "coordination.samples", group, "--instance", name, *self._options]
        process = subprocess.Popen(command, stdout=output, stderr=output, env=self._environment)
        self._processes[name] = process
        self._stack.callback(self._end, process)

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self._processes[name].kill()
        self._processes[name].wait()

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def at_work(stage: Stage, group: str, task_type: str) -> Event:
    """The start of a task of a type that an instance of the group has in hand at this moment."""
    async with asyncio.timeout(PATIENCE):
        while True:
            open_tasks: dict[str, Event] = {}
            for event in sorted(await stage.events(), key=lambda event: event.at):
                if event.name == "task.started" and event.agent_group == group and event.task_id.startswith(task_type):
                    open_tasks[event.task_id] = event
                elif event.name != "task.progressed":
                    open_tasks.pop(event.task_id, None)
            if open_tasks:
                return next(reversed(open_tasks.values()))
            await asyncio.sleep(0.05)


@pytest.mark.timeout(600)
async def test_one_of_two_is_killed_while_it_works_and_every_task_ends_once(
    kafka: KafkaBroker, tmp_path: Path, namespace: str
) -> None:
    address = f"kafka://{kafka.bootstrap}"
    log = open_kafkalog(address)
    stage, setting = Stage(log, Manifest(namespace)), Setting(rate=RATE, manifest=Manifest(namespace))
    await stage.open()
    stop = asyncio.Event()
    reviewing = asyncio.create_task(reviewer(stage, stop))
    killed: dict[str, str] = {}
    with ExitStack() as stack:
        agents = Agents(stack, address, namespace, tmp_path)
        for group in GROUPS:
            for number in (1, 2) if group in VICTIMS else (1,):
                agents.start(group, number)
        for group in VICTIMS:
            await stage.staffed(group, 2)
        for number in range(RUNS):
            await start(stage.client, setting, number)
        for group, task_type in VICTIMS.items():
            begun = await at_work(stage, group, task_type)
            agents.kill(begun.agent_id)
            killed[begun.task_id] = begun.agent_id
        await stage.until_some(
            "run.workflow.events", lambda event: event.name in ENDS, count=RUNS, timeout=PATIENCE, every=0.5
        )
        await every_task_ended(stage)
        stop.set()
        await reviewing
    await once_each(stage, killed)
    await log.close()


async def every_task_ended(stage: Stage) -> None:
    """Wait for those that a run does not wait for: two of three sides are evidence enough."""
    async with asyncio.timeout(PATIENCE):
        while any(task.state not in TERMINAL for task in (await stage.rows()).tasks.values()):
            await asyncio.sleep(0.5)


async def once_each(stage: Stage, killed: dict[str, str]) -> None:
    """Every task ended once and told every effect once; no letter but of a task that failed by its own input."""
    facts = await stage.events()
    failed = {event.task_id for event in facts if event.name == "task.failed"}
    ends = Counter(
        event.task_id
        for event in facts
        if event.name in ("task.completed", "task.failed", "task.canceled", "task.expired", "task.rejected")
    )
    assert len(ends) == len((await stage.rows()).tasks) > 60
    assert set(ends.values()) == {1}
    effects = Counter(
        (event.task_id, event.data.tool_name)
        for event in await stage.events("run.tool.events")
        if event.name == "tool.call.completed" and event.data.tool_name in EFFECTS
    )
    assert len(effects) > 10
    assert not [key for key, count in effects.items() if count > 1]
    letters = {dict(letter.headers).get("ce_taskid", b"").decode() for letter in await stage.records("dlq.run")}
    assert letters <= failed
    assert not letters & killed.keys()
    for task_id, instance in killed.items():
        workers = [event.agent_id for event in facts if event.name == "task.started" and event.task_id == task_id]
        assert workers[0] == instance
        assert len(set(workers)) == 2, "another instance did not take it over"
    assert await stage.anomalies() == []
