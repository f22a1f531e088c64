"""One measured process of the ingest benchmark: the floor, or a worker that drains the log into the tables.

    python -m tests.benchmarks.ingestchild floor|worker|rebuild

What to read and where to write comes from the environment. A worker says `ready` once it is counted among the
workers, and begins at a line on standard input, so that several begin together and share fairly. Prints figures as
JSON: seconds of wall and processor time, records, bytes of the database before and after.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.db import connection  # noqa: E402

from dashboard.eventlog import close_eventlog, open_eventlog  # noqa: E402
from dashboard.ingest.loop import Ingest  # noqa: E402
from dashboard.manifest import manifest  # noqa: E402
from dashboard.models import Position  # noqa: E402
from dashboard.rebuild import rebuild  # noqa: E402
from dashboard.runtime import collect_seldom, make_store, worker_name  # noqa: E402
from dashboard.shards import Leases  # noqa: E402
from tests.benchmarks.plain import floor as plain_floor  # noqa: E402

FAMILIES = ("run.task.commands", "run.task.events", "run.tool.events", "run.workflow.events")


def floor() -> dict[str, float]:
    """Read and decode everything, store nothing."""
    topics = [manifest().topic_named(family) for family in FAMILIES]
    events = int(os.environ["BENCH_EVENTS"])
    wall, cpu = asyncio.run(plain_floor(os.environ["BENCH_KAFKA"], topics, events))
    return {"wall": wall * events / 1e6, "cpu": cpu * events / 1e6, "events": events}


def worker() -> dict[str, float]:
    """Drain the log into the tables."""
    before, leases = disk(), Leases(worker_name(), "ingest")
    ingest = Ingest(open_eventlog, manifest(), make_store(), leases, drain=True, close_log=close_eventlog)
    leases.renew([])
    collect_seldom()
    print("ready", flush=True)
    sys.stdin.readline()
    told = timed(lambda: ingest.run(threading.Event()))
    events = sum(Position.objects.values_list("records", flat=True))
    return told | {"events": events, "before": before, "after": disk()}


def refold() -> dict[str, float]:
    """Rebuild from the stored records."""
    found: list[int] = []
    told = timed(lambda: found.append(rebuild(lambda records, seconds: None).records))
    return told | {"events": found[0]}


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Seconds that it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def disk() -> int:
    """Bytes of the database on disk."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return Path(connection.settings_dict["NAME"]).stat().st_size
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    print(json.dumps({"floor": floor, "worker": worker, "rebuild": refold}[sys.argv[1]]()))
