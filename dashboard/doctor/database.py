"""The database: reach, tables, rights, clock."""

import time
from collections.abc import Iterator
from typing import Final

from django.db import Error, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from dashboard.clock import database_now
from dashboard.doctor.finding import Finding, doubt, fault, fine
from dashboard.models import Worker

ABOUT: Final = "database"
CLOCK: Final = "clock"
SECOND: Final = 1_000_000
OFF: Final = 2 * SECOND
FAR_OFF: Final = 60 * SECOND
SLOW_MS: Final = 50
TIMES: Final = 3
NTP: Final = "Let both machines keep time by NTP."


class _RolledBack(Exception):
    """Ends a transaction that was tried out."""


def reach() -> Iterator[Finding]:
    """Whether it answers, and how quickly."""
    try:
        database_now()
    except Error as error:
        remedy = "Start it, or correct LINESIDE_DATABASE_URL; user, password and network are the usual suspects."
        yield fault(ABOUT, f"it does not answer: {str(error).strip()}", remedy)
        return
    taken = min(_asked() for _ in range(TIMES)) * 1000
    words = f"{connection.display_name} answers in {taken:.0f} ms"
    if taken > SLOW_MS:
        yield doubt(ABOUT, words, "Pages and ingest ask it all the time: bring it nearer, or find what keeps it busy.")
    else:
        yield fine(ABOUT, words)


def _asked() -> float:
    began = time.perf_counter()
    database_now()
    return time.perf_counter() - began


def tables() -> Iterator[Finding]:
    """Whether all migrations were applied."""
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        names = ", ".join(str(migration) for migration, _ in waiting[:3])
        yield fault(ABOUT, f"{len(waiting)} migrations are not applied: {names}", "Run `manage.py migrate`.")
    else:
        yield fine(ABOUT, "all tables are there")


def rights() -> Iterator[Finding]:
    """Whether rows can be written and deleted: tried, and rolled back."""
    try:
        with transaction.atomic():
            Worker.objects.create(worker_id="doctor", role="doctor", started_at=0, lease_until=0)
            Worker.objects.filter(worker_id="doctor").delete()
            raise _RolledBack
    except _RolledBack:
        yield fine(ABOUT, "rows can be written")
    except Error as error:
        remedy = "Give this user SELECT, INSERT, UPDATE and DELETE on all tables, and room on the disk."
        yield fault(ABOUT, f"rows cannot be written: {str(error).strip()}", remedy)


def clock() -> Iterator[Finding]:
    """How far this host and the database are apart; deadlines and leases go by the database."""
    before = time.time_ns()
    theirs = database_now()
    ours = (before + time.time_ns()) // 2000
    apart = ours - theirs
    words = f"this host is {abs(apart) / SECOND:.3f} s {'ahead of' if apart > 0 else 'behind'} the database"
    if abs(apart) > FAR_OFF:
        yield fault(CLOCK, words, NTP)
    elif abs(apart) > OFF:
        yield doubt(CLOCK, words, NTP)
    else:
        yield fine(CLOCK, words)
