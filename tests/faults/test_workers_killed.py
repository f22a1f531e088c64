"""Workers are killed while traffic keeps flowing, and others take over: every event is in the tables exactly once.

They are the real commands with their real leases. A worker is stopped at a random moment, looked at, and killed:
so it is known of each kill whether it interrupted a batch. One kill in six takes the moment as it is; for the
others the worker goes on a little where no batch was open.
"""

import random
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from dashboard.models import Batch, Shard
from tests.faults.agreement import OnLog, agree, tables
from tests.faults.flow import Flow
from tests.faults.openbatch import look_into
from tests.installation import Installation
from tests.services.process import ServerProcess
from tests.traffic import Traffic

WORKERS = 3
PACE = 1_000.0
AHEAD = 6_000
AS_IT_IS = 6


@dataclass
class Crew:
    """Workers of one installation, of which one after the other is killed and replaced."""

    installation: Installation
    random: random.Random
    alive: dict[str, ServerProcess] = field(default_factory=dict)
    killed: int = 0
    interrupted: int = 0

    def hire(self) -> None:
        """Start one more."""
        name = f"worker-{len(self.alive) + self.killed}"
        self.alive[name] = self.installation.worker(name, "--roles", "ingest")

    def kill_one(self) -> None:
        """Kill one that has shards, at a random moment, and start another in its place."""
        look = look_into(self.installation)
        name = self._somebody()
        process = self.alive[name]
        time.sleep(self.random.uniform(0.0, 0.5))
        process.pause()
        was_open = look(name, process)
        if self.killed % AS_IT_IS:
            limit = time.monotonic() + 10
            while not was_open and time.monotonic() < limit:
                process.resume()
                time.sleep(self.random.uniform(0.001, 0.03))
                process.pause()
                was_open = look(name, process)
        process.kill()
        del self.alive[name]
        self.killed += 1
        self.interrupted += was_open
        self.hire()

    def _somebody(self) -> str:
        """The name of one that is at work."""
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            working = [name for name, process in self.alive.items() if process.logged("its shards, took")]
            if working:
                return self.random.choice(working)
            time.sleep(0.1)
        raise AssertionError(next(iter(self.alive.values())).log_tail())


def drained(installation: Installation) -> None:
    """Read what is left, once the leases of the dead are over."""
    installation.manage("worker", "--roles", "ingest", "--drain", seconds=600)


def check(installation: Installation, blocker: Any, kills: int, least: int) -> None:
    rng = random.Random(kills)
    installation.prepare()
    traffic = Traffic(kills, namespace=installation.manifest.namespace)
    installation.append(traffic.records(AHEAD))
    crew = Crew(installation, rng)
    for _ in range(WORKERS):
        crew.hire()
    flow = Flow(installation, traffic.endless(), PACE).start()
    for _ in range(kills):
        crew.kill_one()
    flowing = not flow.over
    appended = AHEAD + flow.stop()
    for process in crew.alive.values():
        process.stop()
    drained(installation)
    told = agree(installation, blocker)
    assert flowing, "the traffic was over before the last kill"
    assert len(told) == appended
    assert_many_kinds(told)
    with tables(installation, blocker):
        takeovers = sum(Shard.objects.filter(role="ingest").values_list("epoch", flat=True))
        writers = Batch.objects.values("worker").distinct().count()
    print(f"{appended} records, {kills} kills, {crew.interrupted} in a batch, {takeovers} leases, {writers} wrote")
    assert crew.interrupted >= least
    # On a busy machine most are killed before their first batch is in; that others took over again and again is enough.
    assert writers >= 3


def assert_many_kinds(told: OnLog) -> None:
    """The traffic was not only events that nothing is the matter with."""
    assert told.duplicates
    assert told.letters
    assert told.malformed


@pytest.mark.timeout(300)
def test_five_workers_are_killed(installation: Installation, django_db_blocker: Any) -> None:
    check(installation, django_db_blocker, kills=5, least=3)


@pytest.mark.long
@pytest.mark.timeout(2_400)
def test_thirty_workers_are_killed(installation: Installation, django_db_blocker: Any) -> None:
    check(installation, django_db_blocker, kills=30, least=20)
