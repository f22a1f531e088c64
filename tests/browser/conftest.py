"""A browser, and the site it looks at: signed in, with static files straight from where they lie."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dashboard.api import cascades, longinputs
from tests.dashboard.scenes import viewer
from tests.services.chromium import Chromium

# A machine that runs two files of tests at a time takes its time; what is awaited comes or does not.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session", autouse=True)
def _uncollected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    # Nothing is collected in a fresh clone, and the folder that would hold it is expected to be there.
    kept, settings.STATIC_ROOT = settings.STATIC_ROOT, tmp_path_factory.mktemp("static")
    yield
    settings.STATIC_ROOT = kept


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    # Every test begins with tables of its own, in which the same run and revision mean something else.
    cascades.forget()
    longinputs.forget()


@pytest.fixture(scope="module")
def browser(chromium: Chromium) -> Iterator[Browser]:
    with chromium.browser() as running:
        yield running


@pytest.fixture
def visited(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """Opens a page, signed in; without a socket, as if nothing changed. `scheme` is light or dark."""
    contexts: list[BrowserContext] = []

    def go(path: str, width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": viewer().cookies[name].value, "url": live_server.url}])
        context.route("**/ws/live", lambda route: route.abort())
        page = context.new_page()
        page.goto(f"{live_server.url}{path}")
        return page

    yield go
    for context in contexts:
        context.close()


@pytest.fixture
def opened(visited: Callable[..., Page]) -> Callable[..., Page]:
    """Opens the page of a run that was kept."""

    def go(run_id: str = "run-1", query: str = "", **given: Any) -> Page:
        page = visited(f"/runs/{run_id}/{query}", **given)
        page.wait_for_selector("#graph .drawing .node, #graph .graph-note")
        return page

    return go
