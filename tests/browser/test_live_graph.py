"""A run page under load: what is drawn stays where it is, and the page is told at most five times a second."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.browser.busyrun import RUN, BusyRun, look_on
from tests.installation import Installation, Site
from tests.services.ports import free_port


def demo(installation: Installation) -> Site:
    """Everything in one process, once it answers."""
    port = free_port()
    process = installation.start("demo", "demo", "--no-agents", "--port", str(port))
    site = Site(installation, process, port)
    process.wait_until(site.answers, 90)
    return site


@pytest.mark.parametrize(
    ("tasks", "seconds"), [(1_000, 6), pytest.param(10_000, 60, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_a_hundred_changes_a_second_move_nothing_that_is_drawn(
    browser: Browser, tmp_path: Path, tasks: int, seconds: float
) -> None:
    with Installation(tmp_path) as installation:
        installation.prepare()
        run = BusyRun(tasks, installation)
        run.ask()
        site = demo(installation)
        api = installation.api(site)

        def read() -> bool:
            try:
                return bool(api.get(f"runs/{RUN}")["counts"].get("requested", 0) >= tasks)
            except httpx.HTTPStatusError:
                return False

        site.process.wait_until(read, 120)
        seen = look_on(browser, site, run, 100, seconds)
    assert seen.messages > seconds / 2
    assert seen.moved == []
    assert seen.stayed
    assert seen.most_in_a_second <= 5
    work = seen.work
    print(f"\n{seen.changes:,} changes of {tasks:,} tasks, {seen.messages} messages, {seen.most_in_a_second} a second")
    print(f"main thread: {work.p50():.1f} ms a message, p95 {work.p95():.1f}, longest task {work.longest:.1f}")
