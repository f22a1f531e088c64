"""The same work through others and through us, in one run. By command only: it installs each of them.

    uv run python -m tests.benchmarks.bench_peers [--peers phoenix,mlflow,…] [--runs 10] [--tasks 100] [--rounds 1]

Each peer runs in an environment of its own, of the version named here, which uv makes and keeps. Figures: tasks a
second until all of them can be asked for, tasks a second accepted, the share that is held in the end, processor ms
of the server for a task. Our row is Kafka, two workers and a web process on PostgreSQL.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.results import keep, medians, table
from tests.services.kafka import KafkaBroker
from tests.services.ports import free_port
from tests.services.postgres import PostgresServer
from tests.services.redis import RedisServer

HERE = Path(__file__).parent / "peers"
PATIENCE = 3_600


class Peer(NamedTuple):
    """What to install, and how to measure it."""

    packages: Sequence[str]
    script: str
    words: Sequence[str] = ()


EXPORTER = "opentelemetry-exporter-otlp-proto-http"
PEERS = {
    "phoenix": Peer(["arize-phoenix==20.26.1", EXPORTER], "otlp.py", ["phoenix"]),
    "mlflow": Peer(["mlflow==3.17.0", EXPORTER], "otlp.py", ["mlflow"]),
    "prefect": Peer(["prefect==3.9.1"], "prefectruns.py"),
    "flower": Peer(["flower==2.2.0", "celery[redis]"], "flowertasks.py"),
    "dagster": Peer(["dagster==1.13.28", "dagster-webserver==1.13.28"], "dagsterops.py"),
}


def peer(name: str, runs: int, tasks: int, redis: str) -> dict[str, float]:
    """Measure one of them; raises CalledProcessError if it does not install or does not run."""
    one = PEERS[name]
    install = [word for package in one.packages for word in ("--with", package)]
    command = [_uv(), "run", "--no-project", "--isolated", "-q", *install, "python"]
    work = [*one.words, str(runs), str(tasks), str(free_port())] + [redis] * (name == "flower")
    return told([*command, str(HERE / one.script), *work])


def _uv() -> str:
    """Where uv is: it tells those it runs."""
    found = os.environ.get("UV") or shutil.which("uv")
    if found is None:
        raise SystemExit("uv is not to be found: run this by `uv run python -m tests.benchmarks.bench_peers`.")
    return found


def ours(runs: int, tasks: int, kafka: str, postgres: PostgresServer) -> dict[str, float]:
    """Measure ourselves."""
    url = postgres.create_database("peers")
    try:
        return told([sys.executable, "-m", "tests.benchmarks.peers.ours", str(runs), str(tasks), kafka, url])
    finally:
        postgres.drop_database("peers")


def told(command: Sequence[str]) -> dict[str, float]:
    """The last line that a command prints."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, timeout=PATIENCE)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def one_round(names: Sequence[str], runs: int, tasks: int) -> dict[str, dict[str, float]]:
    """All of them once; what does not install or run is said and left out."""
    found = {}
    with ExitStack() as stack:
        kafka, postgres = stack.enter_context(KafkaBroker()), stack.enter_context(PostgresServer())
        redis = stack.enter_context(RedisServer())
        found["lineside"] = ours(runs, tasks, kafka.bootstrap, postgres)
        for name in names:
            try:
                found[name] = peer(name, runs, tasks, redis.url())
            except (subprocess.SubprocessError, ValueError, IndexError) as error:
                print(f"{name} could not be measured: {error}", flush=True)
                continue
            found[name]["times slower"] = found["lineside"]["tasks/s"] / found[name]["tasks/s"]
    return found


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    rounds = [one_round(options.peers.split(","), options.runs, options.tasks) for _ in range(options.rounds)]
    measured = [name for name in rounds[0] if all(name in each for each in rounds)]
    found = {name: medians([each[name] for each in rounds]) for name in measured}
    print(table(found))
    keep("peers", found, runs=options.runs, tasks=options.tasks, versions={n: p.packages[0] for n, p in PEERS.items()})


if __name__ == "__main__":
    main()
