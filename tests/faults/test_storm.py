"""Whatever fails, together and in any order: every record once, rows as of one fold, no decision lost or doubled,
an unbroken trail, and the same after a rebuild.

A run prints its seed and its faults; `LINESIDE_STORM_SEED` begins with that one. `--long` goes on for an hour
(`LINESIDE_STORM_SECONDS`), a new installation and the next seed every few steps.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dashboard.models import Decision, Position
from tests.faults.agreement import agree, tables
from tests.faults.decisions import agree_on_decisions, with_requests
from tests.faults.flow import Flow
from tests.faults.link import Link
from tests.faults.reviewer import Reviewer
from tests.faults.storm import Storm
from tests.faults.test_worker_paused import until
from tests.installation import Installation
from tests.services.kafka import KafkaBroker
from tests.services.postgres import PostgresServer
from tests.services.redis import RedisServer
from tests.traffic import Traffic

PACE = 150.0
SEED = int(os.environ.get("LINESIDE_STORM_SEED", "1"))
SECONDS = float(os.environ.get("LINESIDE_STORM_SECONDS", "3600"))
EVERY = 40
Servers = tuple[KafkaBroker, PostgresServer, RedisServer]


@pytest.fixture
def servers(kafka: KafkaBroker, postgres: PostgresServer, redis_server: RedisServer) -> Servers:
    return kafka, postgres, redis_server


class Weather:
    """One installation under storms: traffic flows and somebody decides, while workers, web and servers fail."""

    def __init__(self, folder: Path, servers: Servers, seed: int, steps: int, blocker: Any) -> None:
        self._kafka, self._postgres, self._redis = servers
        self._seed = seed
        self._steps = steps
        self._blocker = blocker
        self._name = f"storm{seed}x{time.time_ns() // 1_000_000_000}"
        self._folder = folder / self._name

    def pass_over(self) -> int:
        """Storm, calm down, and check everything; how many faults there were."""
        database = self._postgres.create_database(self._name)
        try:
            with ExitStack() as stack:
                return self._pass_over(stack, database)
        finally:
            self._postgres.revive()
            self._postgres.drop_database(self._name)

    def _pass_over(self, stack: ExitStack, database: str) -> int:
        link = stack.enter_context(Link(self._postgres.port))
        installation = stack.enter_context(self._installation(database, link))
        installation.prepare()
        stack.callback(lambda: asyncio.run(_forget_topics(installation)))
        workers = {name: installation.worker(name, "--roles", "ingest") for name in ("ingest-a", "ingest-b")}
        others = installation.worker("others", "--roles", "relay,sweep,lag,upkeep")
        site = installation.serve()
        traffic = Traffic(self._seed, namespace=self._name).records(int(PACE * (60 + self._steps * 15)))
        records = list(with_requests(traffic, EVERY, installation.manifest))
        flow = Flow(installation, records, PACE).start()
        until(lambda: self._read(installation) > 0, workers["ingest-a"].log_tail)
        storm = Storm(
            self._seed,
            {**workers, "others": others, "web": site.process},
            {"Kafka": self._kafka, "PostgreSQL": self._postgres, "Redis": self._redis},
            {"the database's link": link},
        )
        with Reviewer(installation.api(site, "read", "decide")) as reviewer:
            while storm.steps < self._steps:
                print(f"seed {self._seed}, step {storm.steps}: {'; '.join(storm.step())}", flush=True)
        appended = flow.stop()
        words = lambda: f"{flow}; {reviewer}\n{others.log_tail()}\n{workers['ingest-a'].log_tail()}"  # noqa: E731
        until(lambda: self._read(installation) >= appended, words, 120)
        # A decision whose answer nobody waited for may still be saved: no longer, once there is no web process.
        site.process.stop()
        until(lambda: self._unsent(installation) == 0, words, 300)
        for process in (*workers.values(), others):
            process.stop()
        installation.manage("worker", "--roles", "ingest", "--drain", seconds=300)
        print(f"seed {self._seed}: {storm.steps} faults, {appended} records, {flow.refused} refused, {reviewer}")
        self._check(installation, appended, reviewer)
        return storm.steps

    def _installation(self, database: str, link: Link) -> Installation:
        log = f"kafka://{self._kafka.bootstrap}"
        made = Installation(self._folder, log=log, database=database, channels=self._redis.url(), namespace=self._name)
        through = database.replace(f":{urlsplit(database).port}/", f":{link.port}/")
        made.settings = {**made.settings, "LINESIDE_DATABASE_URL": through}
        return made

    def _read(self, installation: Installation) -> int:
        with tables(installation, self._blocker):
            return sum(Position.objects.values_list("records", flat=True))

    def _unsent(self, installation: Installation) -> int:
        with tables(installation, self._blocker):
            return Decision.objects.filter(state=Decision.State.SAVED).count()

    def _check(self, installation: Installation, appended: int, reviewer: Reviewer) -> None:
        told = agree(installation, self._blocker)
        assert len(told) >= appended
        with tables(installation, self._blocker):
            sent = agree_on_decisions(reviewer.promised, installation.records())
        assert sent >= len(reviewer.promised) > 0, reviewer
        installation.manage("verify_audit")
        installation.manage("rebuild", seconds=300)
        agree(installation, self._blocker)


async def _forget_topics(installation: Installation) -> None:
    log = installation.open_log()
    for name in await log.topics():
        if installation.manifest.family_of(name):
            await log.delete_topic(name)
    await log.close()


def _seeds() -> Iterator[int]:
    seed = SEED
    while True:
        yield seed
        seed += 1


@pytest.mark.timeout(900)
def test_a_storm_passes_and_all_is_as_it_must_be(tmp_path: Path, servers: Servers, django_db_blocker: Any) -> None:
    assert Weather(tmp_path, servers, SEED, 8, django_db_blocker).pass_over() >= 8


@pytest.mark.long
@pytest.mark.timeout(0)
def test_an_hour_of_storms(tmp_path: Path, servers: Servers, django_db_blocker: Any) -> None:
    began, faults = time.monotonic(), 0
    for seed in _seeds():
        faults += Weather(tmp_path, servers, seed, 60, django_db_blocker).pass_over()
        if time.monotonic() - began > SECONDS:
            break
    print(f"{faults} faults, none that mattered")
