"""How long it takes to look at a run as of a position, beside the same calls of the present.

    uv run python -m tests.benchmarks.bench_travel [--events 10000,100000] [--positions N]

One run of so many events is read into SQLite by ingest. Then positions are asked for in random order, as somebody
would who drags the scrubber to and fro; each is a place that nobody asked for before, so the rows are folded anew for
the first call, and the calls after it find them. `first visit` pays for putting all records in order.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from tests.benchmarks.workload import Workload

A_TASK = 8
CALLS = ("graph", "tasks", "joins", "", "timeline")
Times = list[tuple[float, float]]


def new_log() -> MemoryLog:
    """A log with all topics."""
    log = MemoryLog()
    asyncio.run(log.create_topics(Manifest("bench").specs()))
    return log


def fill(log: MemoryLog, events: int) -> str:
    """Read one more run of about so many events into the tables; its id."""
    from dashboard.ingest.loop import Ingest  # noqa: PLC0415
    from dashboard.models import Run  # noqa: PLC0415
    from dashboard.runtime import make_store, worker_name  # noqa: PLC0415
    from dashboard.shards import Leases  # noqa: PLC0415

    workload = Workload(seed=events, namespace="bench", live_runs=1, tasks=events // A_TASK)
    asyncio.run(log.append(workload.records(events)))
    leases = Leases(worker_name(), "ingest")
    Ingest(lambda: log, Manifest("bench"), make_store(), leases, drain=True).run(threading.Event())
    return str(Run.objects.order_by("-events")[0].run_id)


def timed(act: Callable[[], Any]) -> tuple[float, float]:
    """(wall, processor) milliseconds of one act."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3


def line(name: str, times: Times, peer: Times | None = None) -> None:
    """One row of the table."""
    walls, cpus = sorted(wall for wall, _ in times), sorted(cpu for _, cpu in times)
    middle = walls[len(walls) // 2]
    ratio = f"{middle / sorted(wall for wall, _ in peer)[len(peer) // 2]:8.1f} x live" if peer else ""
    last = int(len(walls) * 0.95)
    wall = f"p50 {middle:6.0f} ms  p95 {walls[last]:6.0f} ms"
    print(f"{name:22} {wall}   CPU p50 {cpus[len(cpus) // 2]:6.0f} ms  p95 {cpus[last]:6.0f} ms{ratio}", flush=True)


def measure(log: MemoryLog, events: int, positions: int) -> None:
    """One run of so many events."""
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from dashboard.models import Run  # noqa: PLC0415
    from dashboard.past import past_of  # noqa: PLC0415

    run_id, client = fill(log, events), Client()
    run = Run.objects.get(run_id=run_id)
    user, _ = User.objects.get_or_create(username="bench", is_superuser=True)
    client.force_login(user)
    print(f"\n{run.events:,} events, {run.total:,} tasks")

    def call(name: str, at: str = "") -> None:
        path = f"/api/v1/runs/{run_id}" + (f"/{name}" if name else "")
        answer = client.get(path, {"at": at} if at else {})
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}: {json.loads(answer.content)}")

    def page(at: str = "") -> None:
        for name in CALLS:
            call(name, at)

    with past_of(run_id).known() as history:
        places = [one.text() for one in history.positions]
    past_of(run_id).__init__(run_id)  # type: ignore[misc]
    line("first visit, last place", [timed(lambda: call("", places[-1]))])
    wanted = random.Random(events).sample(places, min(positions, len(places)))
    live = {name: [timed(lambda name=name: call(name)) for _ in range(9)] for name in CALLS}  # type: ignore[misc]
    moves: Times = [timed(lambda at=at: call("graph", at)) for at in wanted]  # type: ignore[misc]
    line("graph, new place", moves, live["graph"])
    last = wanted[-1]
    for name in CALLS:
        there = [timed(lambda name=name: call(name, last)) for _ in range(9)]  # type: ignore[misc]
        line(f"{name or 'run'}, same place", there, live[name])
    pages = [timed(page) for _ in range(9)]
    wanted = random.Random(events + 1).sample(places, min(positions, len(places)))
    line("all five, new place", [timed(lambda at=at: page(at)) for at in wanted], pages)  # type: ignore[misc]
    start = len(places) // 2
    steps = [timed(lambda at=at: call("graph", at)) for at in places[start : start + positions]]  # type: ignore[misc]
    line("graph, next event", steps, live["graph"])


def main(sizes: Sequence[int], positions: int) -> None:
    """All sizes, in one database in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"LINESIDE_STATE": folder, "LINESIDE_NAMESPACE": "bench"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
        import django  # noqa: PLC0415  (needs the environment above)

        django.setup()
        from django.conf import settings  # noqa: PLC0415
        from django.core.management import call_command  # noqa: PLC0415

        settings.ALLOWED_HOSTS = ["*"]
        call_command("migrate", verbosity=0, skip_checks=True)
        log = new_log()
        for events in sizes:
            measure(log, events, positions)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", default="10000,100000")
    parser.add_argument("--positions", type=int, default=100)
    options = parser.parse_args()
    main([int(size) for size in options.events.split(",")], options.positions)
