"""How fast one worker reads Kafka into the tables, beside the floor measured in the same run.

    uv run python -m tests.benchmarks.bench_ingest [--events N] [--stores sqlite,postgres]

Prints events per second, processor µs per event of the ingest thread, the share of the floor's rate that is reached,
and bytes per event on disk. The floor is aiokafka with a plain decoder (`plain.py`), which stores nothing. Every
measurement runs in a process of its own.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from coordination.kafkalog import open_kafkalog
from coordination.manifest import Manifest
from tests.benchmarks.plain import floor
from tests.benchmarks.workload import Workload
from tests.services.kafka import KafkaBroker
from tests.services.postgres import PostgresServer

NAMESPACE = "bench"
FAMILIES = ("run.task.commands", "run.task.events", "run.tool.events", "run.workflow.events")
CHUNK = 5_000


async def fill(bootstrap: str, events: int) -> None:
    """Create the topics and append the workload."""
    log, workload = open_kafkalog(f"kafka://{bootstrap}"), Workload(namespace=NAMESPACE)
    await log.create_topics(Manifest(NAMESPACE).specs())
    for start in range(0, events, CHUNK):
        await log.append(workload.records(min(CHUNK, events - start)))
    await log.close()


def in_child(mode: str, environment: dict[str, str]) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_ingest", "--child", mode]
    done = subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def child_floor() -> dict[str, float]:
    """Measure the floor."""
    topics = [Manifest(NAMESPACE).topic_named(family) for family in FAMILIES]
    events = int(os.environ["BENCH_EVENTS"])
    wall, cpu = asyncio.run(floor(os.environ["BENCH_KAFKA"], topics, events))
    return {"wall": wall, "cpu": cpu}


def child_worker() -> dict[str, float]:
    """Drain the log into an empty database."""
    import django  # noqa: PLC0415  (needs the environment of this child)

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from dashboard.eventlog import close_eventlog, open_eventlog  # noqa: PLC0415
    from dashboard.ingest.loop import Ingest  # noqa: PLC0415
    from dashboard.manifest import manifest  # noqa: PLC0415
    from dashboard.models import Position  # noqa: PLC0415
    from dashboard.runtime import collect_seldom, make_store, worker_name  # noqa: PLC0415
    from dashboard.shards import Leases  # noqa: PLC0415

    call_command("migrate", verbosity=0, skip_checks=True)
    before = disk()
    ingest = Ingest(
        open_eventlog, manifest(), make_store(), Leases(worker_name(), "ingest"), drain=True, close_log=close_eventlog
    )
    collect_seldom()
    wall, cpu = time.perf_counter(), time.process_time()
    ingest.run(threading.Event())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    events = sum(Position.objects.values_list("records", flat=True))
    return {
        "events": events,
        "wall": wall / events * 1e6,
        "cpu": cpu / events * 1e6,
        "disk": (disk() - before) / events,
    }


def disk() -> int:
    """Bytes of the database on disk."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return Path(connection.settings_dict["NAME"]).stat().st_size
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def report(name: str, measured: dict[str, float], base: dict[str, float]) -> None:
    """One line."""
    share = base["wall"] / measured["wall"]
    rate = 1e6 / measured["wall"]
    stored = f"  {measured['disk']:4.0f} bytes/event" if "disk" in measured else ""
    print(f"{name:10} {rate:9,.0f} events/s  {measured['cpu']:6.1f} µs CPU/event  {share:5.0%} of the floor{stored}")


def measure(events: int, stores: list[str]) -> None:
    """Everything, against a broker and a server of our own."""
    with KafkaBroker() as kafka, tempfile.TemporaryDirectory() as folder:
        asyncio.run(fill(kafka.bootstrap, events))
        base: dict[str, Any] = {
            "BENCH_EVENTS": str(events),
            "BENCH_KAFKA": kafka.bootstrap,
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            "LINESIDE_NAMESPACE": NAMESPACE,
            "LINESIDE_STATE": folder,
            "LINESIDE_LOG": f"kafka://{kafka.bootstrap}",
        }
        lowest = in_child("floor", base)
        report("floor", lowest, lowest)
        for store in stores:
            if store == "sqlite":
                url = f"sqlite:///{quote(folder)}/bench.sqlite3"
                report(store, in_child("worker", base | {"LINESIDE_DATABASE_URL": url}), lowest)
            else:
                with PostgresServer() as server:
                    url = server.create_database("bench")
                    report(store, in_child("worker", base | {"LINESIDE_DATABASE_URL": url}), lowest)
        report("floor", in_child("floor", base), lowest)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--stores", default="sqlite,postgres")
    parser.add_argument("--child", choices=("floor", "worker"))
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(child_floor() if arguments.child == "floor" else child_worker()))
    else:
        measure(arguments.events, arguments.stores.split(","))


if __name__ == "__main__":
    main()
