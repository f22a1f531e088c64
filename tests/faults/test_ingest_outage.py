"""The database or the broker goes away under load: ingest waits, says so once, and goes on without loss."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from coordination.eventlog import EventLog
from coordination.kafkalog import open_kafkalog
from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from dashboard.ingest.loop import Ingest
from dashboard.models import Position
from dashboard.runtime import make_store, worker_name
from dashboard.shards import Leases
from tests.benchmarks.workload import Workload
from tests.dashboard.ingest.picture import rows_in_tables, rows_of_fold, stored_records
from tests.dashboard.ingest.tables import other_database
from tests.services.kafka import KafkaBroker
from tests.services.postgres import PostgresServer


@pytest.fixture
def tables(transactional_db, database_url) -> Iterator[None]:
    """Empty tables on PostgreSQL."""
    with other_database(database_url):
        call_command("migrate", verbosity=0, skip_checks=True)
        yield


class Worker:
    """Ingest in a thread; `stop` ends it."""

    def __init__(self, open_log, namespace: str, close_log=None) -> None:
        self._stop = threading.Event()
        leases = Leases(worker_name(), "ingest")
        self._ingest = Ingest(open_log, Manifest(namespace), make_store(), leases, close_log=close_log)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self._ingest.run(self._stop)
        connection.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)


def wait_for(records: int, seconds: float = 60) -> None:
    """Until so many records are in the tables."""
    limit = time.monotonic() + seconds
    while sum(Position.objects.values_list("records", flat=True)) < records:
        assert time.monotonic() < limit, "not read in time"
        time.sleep(0.1)


def assert_everything_once(count: int, namespace: str = "coord") -> None:
    records = stored_records()
    assert len({(each.topic, each.partition, each.offset) for each in records}) == len(records) == count
    ordered = sorted(records, key=lambda each: (each.topic, each.partition, each.offset))
    assert rows_in_tables() == rows_of_fold(ordered, Manifest(namespace))


def test_a_database_that_is_killed_and_comes_back(tables, postgres: PostgresServer, caplog):
    log, workload = MemoryLog(), Workload(tasks=30, live_runs=5)
    asyncio.run(log.create_topics(Manifest().specs()))
    asyncio.run(log.append(workload.records(2_000)))
    caplog.set_level(logging.INFO)
    worker = Worker(lambda: log, "coord")
    try:
        wait_for(2_000)
        connection.close()
        postgres.kill()
        asyncio.run(log.append(workload.records(2_000)))
        time.sleep(3)
        postgres.start()
        wait_for(4_000)
    finally:
        worker.stop()
    assert_everything_once(4_000)
    said = [record.getMessage() for record in caplog.records if record.name == "dashboard.ingest.loop"]
    assert sum("is out of reach" in line for line in said) == 1
    assert sum("is back after" in line for line in said) == 1


def test_a_broker_that_is_killed_and_comes_back(tables, kafka: KafkaBroker, namespace):
    workload = Workload(namespace=namespace, tasks=30, live_runs=5)

    async def append(count: int) -> None:
        log: EventLog = open_kafkalog(f"kafka://{kafka.bootstrap}")
        await log.create_topics(Manifest(namespace).specs())
        await log.append(workload.records(count))
        await log.close()

    asyncio.run(append(2_000))
    logs: list[EventLog] = []

    def open_log() -> EventLog:
        if not logs:
            logs.append(open_kafkalog(f"kafka://{kafka.bootstrap}"))
        return logs[0]

    async def close_log() -> None:
        await logs[0].close()

    worker = Worker(open_log, namespace, close_log)
    try:
        wait_for(2_000)
        kafka.kill()
        time.sleep(5)
        kafka.start()
        asyncio.run(append(2_000))
        wait_for(4_000)
    finally:
        worker.stop()
    assert_everything_once(4_000, namespace)
