"""The roles of a process: side by side, each started again when it fails, all ended in order."""

import asyncio
import threading
import time

import pytest
from django.db import connections

from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from dashboard import runtime
from dashboard.models import Position, Worker
from dashboard.runtime import ALL, Runtime, worker_name
from tests.benchmarks.workload import Workload


@pytest.fixture
def log(transactional_db, monkeypatch) -> MemoryLog:
    """A log in memory, which the process works on."""
    log = MemoryLog()
    asyncio.run(log.create_topics(Manifest().specs()))
    monkeypatch.setattr(runtime, "open_eventlog", lambda: log)
    return log


@pytest.fixture
def roles(monkeypatch):
    """Roles of our own making, by name."""
    made = {}
    monkeypatch.setattr(runtime, "ROLES", {name: name for name in runtime.ROLES})
    monkeypatch.setattr(runtime, "import_string", made.__getitem__)
    return made


def wait_for(condition, seconds: float = 20) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "not in time"
        time.sleep(0.02)


def test_names_of_workers_are_never_used_twice():
    assert len({worker_name() for _ in range(100)}) == 100


def test_an_unknown_role_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no role cook; roles are ingest, lag"):
        Runtime(["ingest", "cook"])


def test_every_role_can_be_found():
    for name in runtime.ROLES.values():
        assert asyncio.iscoroutinefunction(runtime.import_string(name))
    assert {*ALL, *runtime.ON_REQUEST} == {"ingest", *runtime.ROLES}


def test_ingest_reads_until_it_is_stopped_and_leaves_no_lease_behind(log):
    running = Runtime(["ingest"])
    running.start()
    try:
        asyncio.run(log.append(Workload(tasks=5, live_runs=1).records(50)))
        wait_for(lambda: sum(Position.objects.values_list("records", flat=True)) == 50)
        assert Worker.objects.filter(role="ingest").count() == 1
    finally:
        assert running.stop()
    assert Worker.objects.count() == 0
    assert not running.drained


def test_draining_ends_by_itself(log):
    asyncio.run(log.append(Workload(tasks=5, live_runs=1).records(50)))
    running = Runtime(["ingest"], drain=True)
    running.start()
    assert running.wait(20)
    assert running.stop()
    assert running.drained
    assert sum(Position.objects.values_list("records", flat=True)) == 50


def test_a_role_that_fails_is_started_again_and_said_once(roles, caplog):
    starts = []

    async def fragile(stop: asyncio.Event) -> None:
        starts.append(1)
        if len(starts) < 3:
            raise ZeroDivisionError("nobody thought of it")
        await stop.wait()

    async def steady(stop: asyncio.Event) -> None:
        steady_runs.append(1)
        await stop.wait()

    steady_runs: list[int] = []
    roles |= {"relay": fragile, "sweep": steady}
    running = Runtime(["relay", "sweep"])
    running.start()
    wait_for(lambda: len(starts) == 3)
    assert running.stop()
    assert steady_runs == [1]
    assert sum(record.levelname == "ERROR" for record in caplog.records) == 1


def test_a_role_that_does_not_end_is_told(roles):
    awake = threading.Event()

    async def deaf(stop: asyncio.Event) -> None:
        await asyncio.to_thread(awake.wait, 20)

    roles["lag"] = deaf
    running = Runtime(["lag"])
    running.start()
    time.sleep(0.1)
    assert not running.stop(patience=0.2)
    awake.set()
    assert running.stop(patience=10)


def test_stopping_before_the_roles_began_ends_them_too(roles):
    async def waits(stop: asyncio.Event) -> None:
        await stop.wait()

    roles["lag"] = waits
    running = Runtime(["lag"])
    running.request_stop()
    running.start()
    assert running.stop(patience=10)


@pytest.fixture(autouse=True)
def _closed():
    yield
    connections.close_all()
