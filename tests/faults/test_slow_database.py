"""A database that answers late holds ingest back and nothing else: records wait on the log, memory stays as it is.

`--long` reads five million records with a database as it is, and looks at memory all the way.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dashboard.models import Position
from tests.benchmarks.workload import Workload
from tests.faults.agreement import agree, tables
from tests.faults.flow import Flow
from tests.faults.link import Link
from tests.faults.test_worker_paused import until
from tests.installation import Installation
from tests.services.postgres import PostgresServer
from tests.services.process import ServerProcess
from tests.traffic import Traffic

LATE = 0.05
PACE = 1_500.0
MANY = 5_000_000
CHUNK = 50_000


@pytest.fixture
def link(postgres: PostgresServer) -> Iterator[Link]:
    with Link(postgres.port) as made:
        yield made


@pytest.fixture
def behind(production: Installation, link: Link) -> Installation:
    """An installation that reaches its database over the link."""
    through = production.database.replace(f":{urlsplit(production.database).port}/", f":{link.port}/")
    production.settings = {**production.settings, "LINESIDE_DATABASE_URL": through}
    production.prepare()
    return production


def memory(process: ServerProcess) -> float:
    """Resident memory in MB; the process itself is the child of `env`, or has taken its place."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def read(installation: Installation, blocker: Any) -> int:
    with tables(installation, blocker):
        return sum(Position.objects.values_list("records", flat=True))


@pytest.mark.timeout(400)
def test_fifty_milliseconds_a_statement_hold_ingest_back_and_memory_stays(
    behind: Installation, link: Link, django_db_blocker: Any
) -> None:
    records = Traffic(3, namespace=behind.manifest.namespace).records(60_000)
    worker = behind.worker("worker", "--roles", "ingest")
    flow = Flow(behind, records, PACE).start()
    until(lambda: read(behind, django_db_blocker) > 2_000, worker.log_tail)
    link.slow(LATE)
    time.sleep(4)
    before, used = read(behind, django_db_blocker), [memory(worker)]
    for _ in range(20):
        time.sleep(0.5)
        used.append(memory(worker))
    moved = read(behind, django_db_blocker) - before
    waiting = flow.appended - before
    link.heal()
    appended = flow.stop()
    until(lambda: read(behind, django_db_blocker) >= appended, worker.log_tail, 120)
    worker.stop()
    behind.manage("worker", "--roles", "ingest", "--drain")
    agree(behind, django_db_blocker)
    print(f"{moved} records read and {waiting} waiting meanwhile, memory {used[0]:.0f} to {max(used):.0f} MB")
    assert moved > 0
    # Rows of new tasks fill the working set; what waits on the log must not add to it.
    assert max(used) < used[0] * 1.1 + 20


@pytest.mark.long
@pytest.mark.timeout(0)
def test_five_million_records_leave_memory_as_it_was(production: Installation, django_db_blocker: Any) -> None:
    production.prepare()
    workload, used = Workload(namespace=production.manifest.namespace), []
    worker = production.worker("worker", "--roles", "ingest")
    for done in range(0, MANY, CHUNK):
        production.append(workload.records(CHUNK))
        until(lambda done=done: read(production, django_db_blocker) >= done, worker.log_tail, 600)  # type: ignore[misc]
        used.append(memory(worker))
    settled = used[len(used) // 10 :]
    print(f"memory {settled[0]:.0f} MB after a tenth, {min(settled):.0f} to {max(settled):.0f} MB from there")
    assert max(settled) <= settled[0] * 1.1
