"""How long until the graph of a run is drawn and Enter opens a node, for runs of very different size.

    uv run python -m tests.benchmarks.bench_graph [--sizes 100 10000 100000] [--repeats 5]

The same browser opens each run in turn, so that whatever else the machine does meets all of them. The peer is the
smallest run: what is asked is that size costs nothing. Prints medians, each as a ratio to the smallest, the browser's
heap after a collection, and the server's CPU time for the graph call.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page

from tests.installation import ROOT, Installation
from tests.services.chromium import Chromium
from tests.signedin import signed_in_page

TICKS = os.sysconf("SC_CLK_TCK")


def keep(sizes: list[int]) -> None:
    """In a process of its own, with the installation in its environment: one fanned-out run of each size."""
    import django  # noqa: PLC0415  (needs the environment of this child)

    django.setup()
    from tests.browser.runs import keep as keep_story  # noqa: PLC0415
    from tests.browser.runs import wide  # noqa: PLC0415

    for size in sizes:
        keep_story(wide(size), f"run-{size}")


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(page: Page, size: int) -> dict[str, float]:
    """Opens a run once: ms until drawn, ms until Enter shows a node, MB of heap; how many elements and how many
    failures are drawn before anything is clicked."""
    began = time.perf_counter()
    page.goto(f"/runs/run-{size}/")
    page.wait_for_selector(".drawing .node")
    drawn = time.perf_counter()
    elements = page.locator(".drawing .node, .drawing .way").count()
    failures = page.locator(".drawing .member.c-failed").count()
    page.locator(".drawing .node").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#chosen:not([hidden])")
    opened = time.perf_counter()
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    session.detach()
    times = {"drawn": (drawn - began) * 1e3, "opened": (opened - began) * 1e3}
    return {**times, "heap": heap, "elements": elements, "failures": failures}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    if options.keep:
        keep(options.sizes)
        return
    with tempfile.TemporaryDirectory() as folder, Installation(Path(folder)) as installation:
        installation.prepare()
        sizes = [str(size) for size in options.sizes]
        given = {**os.environ, **installation.settings, "DJANGO_SETTINGS_MODULE": "dashboard.settings"}
        command = [sys.executable, "-m", "tests.benchmarks.bench_graph", "--keep", "--sizes", *sizes]
        subprocess.run(command, env=given, cwd=ROOT, check=True)
        site = installation.serve()
        api = installation.api(site)
        found: dict[int, list[dict[str, Any]]] = {size: [] for size in options.sizes}
        with Chromium().browser() as browser:
            page = signed_in_page(browser, site.address, viewport={"width": 1440, "height": 900})
            measure(page, options.sizes[0])  # warm: code is compiled, connections are open
            for _ in range(options.repeats):
                for size in options.sizes:
                    one = measure(page, size)
                    before = cpu_seconds(site.process.pid)
                    api.get(f"runs/run-{size}/graph")
                    found[size].append(one | {"server": (cpu_seconds(site.process.pid) - before) * 1e3})
        report(found)


def report(found: dict[int, list[dict[str, Any]]]) -> None:
    """One line a size; ratios are to the smallest."""
    first = min(found)
    middle = {size: {name: median(one[name] for one in some) for name in some[0]} for size, some in found.items()}
    for size, values in middle.items():
        ratio = {name: values[name] / middle[first][name] if middle[first][name] else 1.0 for name in values}
        print(
            f"{size:>9,} tasks: drawn {values['drawn']:6.0f} ms ({ratio['drawn']:.2f}×), "
            f"Enter opens {values['opened']:6.0f} ms ({ratio['opened']:.2f}×), "
            f"heap {values['heap']:5.1f} MB ({ratio['heap']:.2f}×), "
            f"graph call {values['server']:5.0f} ms CPU, "
            f"{values['elements']:.0f} elements, {values['failures']:.0f} failures"
        )


if __name__ == "__main__":
    main()
