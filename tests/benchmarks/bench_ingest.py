"""How fast workers read Kafka into the tables, and a rebuild folds them anew, beside the floor of the same run.

    uv run python -m tests.benchmarks.bench_ingest [--events N] [--rounds 5] [--rows sqlite,postgres,…]

Rows are `sqlite`, `postgres`, `postgres x2`, `postgres x4` (so many workers). The floor is aiokafka with a plain
decoder (`plain.py`), which stores nothing. Rounds go through all rows in turn; figures are medians: events a second,
processor µs an event of all workers together, the share of the floor's rate (and of its processor time, which
other work on the machine disturbs less), bytes an event on disk, and the rebuild beside its own live ingest.
Every measurement runs in processes of its own.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from coordination.kafkalog import open_kafkalog
from coordination.manifest import Manifest
from tests.benchmarks.results import keep, medians, table
from tests.benchmarks.workload import Workload
from tests.services.kafka import KafkaBroker
from tests.services.postgres import PostgresServer

NAMESPACE = "bench"
ROWS = ("sqlite", "postgres", "postgres x2", "postgres x4")
CHUNK = 5_000
Environment = Mapping[str, str]
Told = dict[str, float]


async def fill(bootstrap: str, events: int) -> None:
    """Create the topics and append the workload."""
    log, workload = open_kafkalog(f"kafka://{bootstrap}"), Workload(namespace=NAMESPACE)
    await log.create_topics(Manifest(NAMESPACE).specs())
    for start in range(0, events, CHUNK):
        await log.append(workload.records(min(CHUNK, events - start)))
    await log.close()


def children(mode: str, count: int, environment: Environment) -> list[Told]:
    """What so many processes of `ingestchild` measured that began together."""
    command = [sys.executable, "-m", "tests.benchmarks.ingestchild", mode]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, env={**os.environ, **environment}, **pipes) for _ in range(count)]  # type: ignore[call-overload]
    if mode == "worker":
        for child in started:
            child.stdout.readline()
    answers = []
    for child in started:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in started:
        printed, _ = child.communicate()
        answers.append(json.loads(printed.splitlines()[-1]))
    return answers


def figures(answers: list[Told], floor: Told) -> Told:
    """One row, of the workers together."""
    events = answers[0]["events"]
    wall, cpu = max(each["wall"] for each in answers) / events, sum(each["cpu"] for each in answers) / events
    told = {
        "events/s": 1 / wall,
        "CPU µs": cpu * 1e6,
        "of floor": floor["wall"] / floor["events"] / wall,
        "of floor CPU": floor["cpu"] / floor["events"] / cpu,
    }
    if "after" in answers[0]:
        size = max(each["after"] for each in answers) - min(each["before"] for each in answers)
        told["bytes"] = size / events
    return told


def one_round(rows: list[str], base: Environment, servers: dict[str, PostgresServer]) -> dict[str, Told]:
    """All rows once."""
    (floor,) = children("floor", 1, base)
    found = {"floor": figures([floor], floor)}
    for row in rows:
        store, _, workers = row.partition(" x")
        with ExitStack() as stack:
            if store == "sqlite":
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                url = f"sqlite:///{quote(folder)}/bench.sqlite3"
            else:
                url = servers[store].create_database("bench")
                stack.callback(servers[store].drop_database, "bench")
            environment = {**base, "LINESIDE_DATABASE_URL": url}
            migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0", "--skip-checks"]
            subprocess.run(migrate, env={**os.environ, **environment}, check=True)
            answers = children("worker", int(workers or 1), environment)
            found[row] = figures(answers, floor)
            if not workers:
                again = figures(children("rebuild", 1, environment), floor)
                live = found[row]
                again["of live"], again["of live CPU"] = (
                    again["events/s"] / live["events/s"],
                    live["CPU µs"] / again["CPU µs"],
                )
                found[f"{row}, rebuild"] = again
    return found


def measure(events: int, rounds: int, rows: list[str]) -> dict[str, Told]:
    """Everything, against a broker and a server of our own."""
    with ExitStack() as stack:
        kafka = stack.enter_context(KafkaBroker())
        servers = {"postgres": stack.enter_context(PostgresServer())} if set(rows) - {"sqlite"} else {}
        state = stack.enter_context(tempfile.TemporaryDirectory())
        asyncio.run(fill(kafka.bootstrap, events))
        base = {
            "BENCH_EVENTS": str(events),
            "BENCH_KAFKA": kafka.bootstrap,
            "LINESIDE_NAMESPACE": NAMESPACE,
            "LINESIDE_STATE": state,
            "LINESIDE_LOG": f"kafka://{kafka.bootstrap}",
        }
        told = []
        for number in range(rounds):
            told.append(one_round(rows, base, servers))
            print(f"round {number + 1} of {rounds}\n{table(told[-1])}", flush=True)
    return {row: medians([each[row] for each in told]) for row in told[0]}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", default=",".join(ROWS))
    arguments = parser.parse_args()
    os.chdir(Path(__file__).parents[2])
    found = measure(arguments.events, arguments.rounds, arguments.rows.split(","))
    print(f"medians of {arguments.rounds}\n{table(found)}")
    keep("ingest", found, events=arguments.events, rounds=arguments.rounds)


if __name__ == "__main__":
    main()
