"""Fixtures of ingest: both databases, a log with all topics, and a way to drain it."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from django.core.management import call_command
from django.db import connection

from coordination.eventlog import NewRecord
from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from dashboard.ingest.loop import Ingest
from dashboard.runtime import make_store, worker_name
from dashboard.shards import Leases
from tests.dashboard.ingest.tables import other_database
from tests.services.postgres import PostgresServer

# What migrating has made and tests only read.
KEPT = {"auth_permission", "django_content_type", "django_migrations"}


@pytest.fixture(scope="session")
def postgres_tables(postgres: PostgresServer, django_db_blocker) -> Iterator[str]:
    """The URL of a PostgreSQL database with all tables; emptied by whoever uses it."""
    url = postgres.create_database("lineside_tables")
    with django_db_blocker.unblock(), other_database(url):
        call_command("migrate", verbosity=0, skip_checks=True)
    yield url
    postgres.drop_database("lineside_tables")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def tables(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[str]:
    """Empty tables, once on SQLite and once on PostgreSQL; the name of the engine."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    with other_database(request.getfixturevalue("postgres_tables")):
        yield "postgresql"
        # Django's `flush` also makes rights and content types anew, which takes a second each time.
        with connection.cursor() as cursor:
            names = [name for name in connection.introspection.table_names(cursor) if name not in KEPT]
            cursor.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY")


@pytest.fixture
def log() -> MemoryLog:
    """A log with all declared topics."""
    log = MemoryLog()
    asyncio.run(log.create_topics(Manifest().specs()))
    return log


@pytest.fixture
def append(log: MemoryLog) -> Callable[[Sequence[NewRecord]], None]:
    """Append records to the log."""
    return lambda records: asyncio.run(log.append(list(records))) and None


@pytest.fixture
def drain(log: MemoryLog) -> Callable[[], bool]:
    """Read all there is into the tables, by a worker that comes, works and goes."""

    def drained() -> bool:
        stop = threading.Event()
        # A gap or a fault must not let a test wait for ever: what is not drained by then is a finding.
        timer = threading.Timer(8, stop.set)
        timer.start()
        try:
            leases = Leases(worker_name(), "ingest")
            return Ingest(lambda: log, Manifest(), make_store(), leases, drain=True).run(stop)
        finally:
            timer.cancel()

    return drained
