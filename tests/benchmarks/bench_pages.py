"""What ingest costs the pages beside it: the demo's one process reads a backlog as fast as it can, then is idle.

    uv run python -m tests.benchmarks.bench_pages [--backlog 60000]

The backlog is appended before the process starts, so nothing else uses the machine. One visitor asks for one page
after the other; the idle server is the same process, in the same run.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.workload import Workload
from tests.installation import Installation, Site
from tests.signedin import signed_in_client

PATHS: Final = ("/", "/runs/", "/agents/", "/approvals/", "/api/v1/runs")
PART: Final = 5_000


def visit(site: Site, until: Callable[[int], bool]) -> list[float]:
    """Milliseconds that pages took, one after the other."""
    took: list[float] = []
    client = signed_in_client(site.address)
    for path in PATHS * 2:
        client.get(path)
    while not until(len(took)):
        began = time.perf_counter()
        client.get(PATHS[len(took) % len(PATHS)]).raise_for_status()
        took.append(1_000 * (time.perf_counter() - began))
        time.sleep(0.02)
    client.close()
    return took


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[18]


def measure(installation: Installation, backlog: int) -> None:
    """Print page latency while the backlog is read, and after."""
    installation.prepare()
    load = Workload(tasks=100, live_runs=20)
    for first in range(0, backlog, PART):
        installation.append(load.records(min(PART, backlog - first)))
    began = time.monotonic()
    site = installation.one_process()
    health = installation.api(site)
    behind = lambda: health.get("health")["ingest"]["behind_records"] or 0  # noqa: E731
    busy = visit(site, lambda count: count > 0 and count % 20 == 0 and behind() == 0)
    rate = backlog / (time.monotonic() - began)
    time.sleep(2)
    idle = visit(site, lambda count: count >= max(100, len(busy)))
    print(f"ingest flat out, {rate:,.0f} events/s: {words(busy)}; idle: {words(idle)}")
    print(f"p95 beside ingest is {p95(busy) / p95(idle):.1f} times that of the idle server")


def words(took: Sequence[float]) -> str:
    """Median and 95th percentile of what pages took."""
    return f"p50 {statistics.median(took):.0f} ms, p95 {p95(took):.0f} ms of {len(took)}"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backlog", type=int, default=60_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Installation(Path(folder)) as installation:
        measure(installation, options.backlog)


if __name__ == "__main__":
    main()
