"""The lag poll of many groups on a real broker: how long a poll takes, its share of a core, and pages meanwhile.

    uv run python -m tests.benchmarks.bench_lagpoll [--groups 200] [--partitions 50] [--rounds 20] [--members 20]

Every group stands somewhere on every partition of the topic of tasks, and TASKS of its tasks wait. Database is
PostgreSQL. The goal is a poll within 5 s at 30 % of a core. One visitor asks for one page after the other, first
without the poll, then beside it; database, broker and visitor share the machine.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from coordination.encoding import new_event
from coordination.eventlog import TopicPartition
from coordination.manifest import SHARED, Manifest
from tests.benchmarks.results import keep, table
from tests.installation import ROOT, Installation, Site
from tests.services.kafka import KafkaBroker
from tests.services.postgres import PostgresServer
from tests.signedin import signed_in_client

TASKS: Final = 50
PATHS: Final = ("/", "/agents/", "/agents/g0/", "/api/v1/agents")
NAMESPACE: Final = "bench"


async def fill(installation: Installation, groups: int, partitions: int) -> None:
    """Topics with so many partitions, tasks of all groups, and where each group stands."""
    log, manifest = installation.open_log(), installation.manifest
    specs = [
        msgspec.structs.replace(s, partitions=partitions) if s.partitions == SHARED else s for s in manifest.specs()
    ]
    await log.create_topics(specs)
    now = time.time_ns() // 1000
    for group in range(groups):
        await log.append([_task(manifest, group, number, now) for number in range(TASKS)])
    commands = manifest.topic_named("run.task.commands")
    ends = await log.ends([TopicPartition(commands, number) for number in range(partitions)])
    for group in range(groups):
        await log.set_commits(f"agent.g{group}", {at: end.high * (group % 10) // 10 for at, end in ends.items()})
    await log.close()


def _task(manifest: Manifest, group: int, number: int, now: int) -> Any:
    name = f"g{group}-{number}"
    return new_event(
        "task.requested",
        source="/bench/planner",
        time=now,
        id=name,
        run_id=f"run-{number}",
        task_id=name,
        target_group=f"g{group}",
        idempotency_key=name,
        data={"task_type": "work", "title": name},
        manifest=manifest,
    )


def visit(site: Site, until: Callable[[], bool]) -> dict[str, float]:
    """What pages took (ms), one after the other, until it is time to stop."""
    took: list[float] = []
    client = signed_in_client(site.address)
    for path in PATHS * 2:
        client.get(path).raise_for_status()
    while not until() or len(took) < 20:
        began = time.perf_counter()
        client.get(PATHS[len(took) % len(PATHS)]).raise_for_status()
        took.append(1_000 * (time.perf_counter() - began))
        time.sleep(0.1)
    client.close()
    return {"p50 ms": statistics.median(took), "p95 ms": statistics.quantiles(took, n=20)[18], "pages": len(took)}


def child(installation: Installation, *words: str) -> subprocess.Popen[str]:
    """A process of the benchmark that finds the installation in its environment."""
    environment = {**os.environ, **installation.settings}
    command = [sys.executable, "-m", "tests.benchmarks.lagpollchild", *words]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def measure(installation: Installation, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Prepare, then poll and visit."""
    asyncio.run(fill(installation, options.groups, options.partitions))
    installation.prepare()
    installation.manage("worker", "--roles", "ingest", "--drain", seconds=600)
    members = child(installation, "members", str(options.members))
    site = installation.serve()
    try:
        assert members.stdout is not None
        members.stdout.readline()
        child(installation, "poll", "1").wait()
        deadline = time.monotonic() + 10
        alone = visit(site, lambda: time.monotonic() > deadline)
        polling = child(installation, "poll", str(options.rounds))
        beside = visit(site, lambda: polling.poll() is not None)
        told = json.loads(polling.communicate()[0].splitlines()[-1])
    finally:
        members.kill()
        members.wait()
    assert told["groups"] == options.groups, told
    return {"poll": figures(told["rounds"], told["interval"]), "pages, no poll": alone, "pages beside the poll": beside}


def figures(rounds: list[tuple[float, float]], interval: float) -> dict[str, float]:
    """Seconds of a poll, and its share of one core: of the time from one poll to the next."""
    walls, cpus = zip(*rounds, strict=True)
    spans = [max(wall + 0.5, interval) for wall in walls]
    return {
        "p50 s": statistics.median(walls),
        "slowest s": max(walls),
        "CPU s a poll": statistics.mean(cpus),
        "% of a core": 100 * sum(cpus) / sum(spans),
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in (("groups", 200), ("partitions", 50), ("rounds", 20), ("members", 20)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    options = parser.parse_args()
    with KafkaBroker() as kafka, PostgresServer() as postgres, tempfile.TemporaryDirectory() as folder:
        log, database = f"kafka://{kafka.bootstrap}?timeout=60", postgres.create_database("bench")
        with Installation(Path(folder), log=log, database=database, namespace=NAMESPACE) as installation:
            found = measure(installation, options)
    print(table(found))
    keep("lagpoll", found, **vars(options))


if __name__ == "__main__":
    main()
