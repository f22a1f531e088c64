"""Two processes of one group, one after the other killed with SIGKILL while they work; nothing is lost or doubled."""

import asyncio
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from coordination.eventlog import EventLog
from coordination.kafkalog import open_kafkalog
from coordination.manifest import Manifest
from coordination.sqlitelog import SqliteLog
from tests.coordination.agent.stage import Stage
from tests.services.kafka import KafkaBroker

TASKS = 40
KILLS = 4


class Group:
    """Processes of the group under test."""

    def __init__(self, address: str, namespace: str, folder: Path, session_timeout: float) -> None:
        self.effects = folder / "effects"
        self._arguments = [address, namespace, str(self.effects), str(session_timeout)]
        self._folder, self._count = folder, 0
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """One more process."""
        self._count += 1
        command = [sys.executable, "-m", "tests.coordination.agent.workprocess", *self._arguments]
        with (self._folder / f"worker-{self._count}.log").open("wb") as log:
            process = subprocess.Popen([*command, f"worker-{self._count}"], stdout=log, stderr=log)
        self.processes.append(process)

    def kill(self, chance: random.Random) -> None:
        """Kill one of them."""
        victim = self.processes.pop(chance.randrange(len(self.processes)))
        victim.kill()
        victim.wait()

    def stop(self) -> list[int]:
        """End the others as Ctrl-C would; their exit codes."""
        for process in self.processes:
            process.terminate()
        return [process.wait(30) for process in self.processes]


async def survive(log: EventLog, address: str, namespace: str, folder: Path, session_timeout: float) -> None:
    chance = random.Random(11)
    stage = Stage(log, Manifest(namespace))
    await stage.open()
    group = Group(address, namespace, folder, session_timeout)
    group.start()
    group.start()
    try:
        tasks = [await stage.client.request("run-1", "work", "worker", input=number) for number in range(TASKS)]
        for kill in range(KILLS):
            await stage.until("task.started", count=6 * kill + 4, timeout=90, every=0.1)
            await asyncio.sleep(chance.uniform(0, 0.3))
            group.kill(chance)
            group.start()
        completed = await stage.until("task.completed", count=2 * TASKS, timeout=150, every=0.5)
    finally:
        codes = group.stop()
    # One that was only just started may not have come as far as to listen.
    assert set(codes) <= {0, -signal.SIGTERM}
    ends = Counter(event.task_id for event in completed)
    assert set(ends.values()) == {1}
    assert {event.task_id: event.data.output for event in completed if event.task_id in tasks} == dict(
        zip(tasks, range(TASKS), strict=True)
    )
    effects = Counter(group.effects.read_text().split())
    assert len(effects) == TASKS
    # Repeated at most where a process died between an effect and the record of it: four slots, each kill.
    assert effects.total() - TASKS <= 4 * KILLS
    assert await stage.anomalies() == []
    await log.close()


async def test_killed_processes_on_the_sqlite_log(tmp_path: Path, namespace: str) -> None:
    file = tmp_path / "log.sqlite3"
    await survive(SqliteLog(file), f"sqlite://{file}", namespace, tmp_path, 2.0)


@pytest.mark.timeout(400)
async def test_killed_processes_on_kafka(kafka: KafkaBroker, tmp_path: Path, namespace: str) -> None:
    address = f"kafka://{kafka.bootstrap}"
    await survive(open_kafkalog(address), address, namespace, tmp_path, 6.0)
