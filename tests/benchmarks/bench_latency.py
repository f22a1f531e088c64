"""How long an event takes from its append to a changed pixel in Chromium.

    uv run python -m tests.benchmarks.bench_latency [--shapes embedded kafka] [--rates 100 2000] [--probes 120]

Embedded is the demo's one process on SQLite; kafka is a worker and a web process on Kafka, PostgreSQL and Redis.
Load is appended by this process, as agents would; among it are probes, tasks of a run whose page is open. A probe
has arrived with the second frame after the page counts it. The floor is that browser alone: a text that the page
itself writes, until its second frame.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import Final

from playwright.sync_api import Page

from tests.benchmarks.feed import PROBES_A_RUN, PROBES_A_SECOND, Feed, probe
from tests.installation import Installation, Site
from tests.services.chromium import Chromium
from tests.services.kafka import KafkaBroker
from tests.services.postgres import PostgresServer
from tests.services.redis import RedisServer
from tests.signedin import signed_in_page

WARM_UP: Final = 3.0
# Notes for each count of tasks that the page shows when its second frame was there: milliseconds since 1970.
OBSERVE: Final = """() => {
  window.shown = {};
  let most = 1;
  const frames = (then) => requestAnimationFrame(() => requestAnimationFrame(then));
  new MutationObserver(() => {
    for (const [, text] of document.body.textContent.matchAll(/\\b0 ?\\/ ?(\\d+)\\b/g)) {
      while (most < Number(text)) {
        const count = (most += 1);
        frames(() => { window.shown[count] = performance.timeOrigin + performance.now(); });
      }
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
  window.floor = () => {
    document.getElementById("floor")?.remove();
    const began = performance.now();
    document.body.insertAdjacentHTML("beforeend", "<p id=floor>text</p>");
    return new Promise((done) => frames(() => done(performance.now() - began)));
  };
}"""


@contextmanager
def started(shape: str, folder: Path) -> Iterator[tuple[Installation, Site]]:
    """An installation of a shape at work, and its pages."""
    with ExitStack() as stack:
        if shape == "embedded":
            installation = stack.enter_context(Installation(folder))
            installation.prepare()
            yield installation, installation.one_process()
            return
        kafka, postgres = stack.enter_context(KafkaBroker()), stack.enter_context(PostgresServer())
        redis = stack.enter_context(RedisServer())
        database, log = postgres.create_database("latency"), f"kafka://{kafka.bootstrap}"
        installation = Installation(folder, log=log, database=database, channels=redis.url())
        stack.enter_context(installation)
        installation.prepare()
        worker = installation.worker("worker")
        worker.wait_until(lambda: worker.logged("its shards, took"), 60)
        yield installation, installation.serve()


def latencies(page: Page, installation: Installation, rate: float, probes: int) -> tuple[list[float], list[float]]:
    """Milliseconds from append to pixel of each probe, and those of the browser alone."""
    found: list[float] = []
    floor: list[float] = []
    for number in range(1 + probes // PROBES_A_RUN):
        run_id = f"probe-{rate:.0f}-{number}"
        with ThreadPoolExecutor(1) as pool:  # the browser keeps an event loop in this thread
            pool.submit(installation.append, [probe(run_id)]).result()
        with Feed(installation, rate) as feed:
            page.wait_for_timeout(1_000 * WARM_UP)
            while not page.goto(f"/runs/{run_id}/").ok:  # type: ignore[union-attr]
                page.wait_for_timeout(500)
            page.wait_for_timeout(1_000)
            page.evaluate(OBSERVE)
            feed.run_id = run_id
            page.wait_for_timeout(1_000 * (1 + PROBES_A_RUN / PROBES_A_SECOND))
            shown = page.evaluate("window.shown")
        # The first task of the run was there before.
        found += [shown[str(count)] - at for count, at in enumerate(feed.appended, 2) if str(count) in shown]
        floor += [page.evaluate("window.floor()") for _ in range(10)]
    return found, floor


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[18]


def cpu(installation: Installation) -> float:
    """Seconds of processor time that the installation's processes have used."""
    ticks = os.sysconf("SC_CLK_TCK")
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in installation.pids()]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / ticks


def measure(shape: str, rates: Sequence[float], probes: int, folder: Path) -> None:
    """Print the figures of one shape."""
    with started(shape, folder) as (installation, site), Chromium().browser() as browser:
        page = signed_in_page(browser, site.address)
        for rate in rates:
            before, began = cpu(installation), monotonic()
            shown, floor = latencies(page, installation, rate, probes)
            share = (cpu(installation) - before) / (monotonic() - began)
            print(
                f"{shape:<9} {rate:>6.0f} events/s: append → pixel p50 {statistics.median(shown):4.0f} ms, "
                f"p95 {p95(shown):4.0f} ms of {len(shown)}; the browser alone p95 {p95(floor):3.0f} ms; "
                f"servers used {share:.0%} of a core",
                flush=True,
            )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", default=["embedded", "kafka"])
    parser.add_argument("--rates", nargs="+", type=float, default=[100.0, 2_000.0])
    parser.add_argument("--probes", type=int, default=120)
    options = parser.parse_args()
    for shape in options.shapes:
        with tempfile.TemporaryDirectory() as folder:
            measure(shape, options.rates, options.probes, Path(folder))


if __name__ == "__main__":
    main()
