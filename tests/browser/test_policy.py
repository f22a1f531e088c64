"""No page does what its own policy refuses: neither style nor script is inline, charts and pictures included."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page

from dashboard.audit import enter
from dashboard.permissions import ensure_roles
from dashboard.routes import routes
from tests.browser.cascade import cascade, keep
from tests.dashboard import scenes
from tests.dashboard.cast import ask
from tests.dashboard.test_rights import NAMED

pytestmark = pytest.mark.django_db(transaction=True)
LISTEN = """addEventListener("securitypolicyviolation",
  (event) => console.error(`refused ${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));"""
NAMES = NAMED | {"group": "payer", "app_label": "dashboard", "offset": "1", "workflow": "incident", "object_id": "1"}
# What ends the session is not visited.
ELSEWHERE = re.compile(r"^api/|^metrics|^sign-out|logout/|^sign-in/oidc|\^|\(\?P")
CHARTS = ("/agents/payer/", "/workflows/incident/", "/runs/compare/?a=run-1&b=run-1")


def addresses() -> list[str]:
    """Every page there is."""
    paths = [route.path for route in routes() if route.method == "GET" and not ELSEWHERE.search(route.path)]
    return ["/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: NAMES.get(found[1], "1"), path) for path in paths]


@pytest.fixture
def refused(browser: Browser, live_server: Any) -> Any:
    keep(cascade(12))
    ask("ask-1", title="Pay 12 EUR", task="fetch", risk="high")
    scenes.group("payer")
    scenes.dead_letter(1, task_id="fetch")
    scenes.rejected(1)
    scenes.position()
    ensure_roles()
    enter("user-1", "task.cancel", "task/fetch", {"run_id": "run-1"})
    person = User.objects.create_superuser("root", password="x")
    client = Client()
    client.force_login(person)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    context.add_init_script(LISTEN)
    page = context.new_page()
    page.set_default_timeout(20_000)
    found: list[str] = []
    page.on("console", lambda said: found.append(f"{page.url}: {said.text}") if "efuse" in said.text else None)
    yield page, found
    context.close()


def test_no_page_is_refused_anything(refused: Any, live_server: Any) -> None:
    page, found = refused
    pages = [path for path in addresses() if is_page(page, live_server.url + path)]
    assert len(pages) > 40
    for path in pages:
        page.goto(live_server.url + path)
    assert found == []


def is_page(page: Page, address: str) -> bool:
    """Not a file, nor what wants a POST."""
    answer = page.request.get(address, max_redirects=0)
    return answer.headers.get("content-type", "").startswith("text/html") and bool(answer.body())


def test_charts_and_pictures_are_refused_nothing(refused: Any, live_server: Any) -> None:
    page, found = refused
    for path in CHARTS:
        page.goto(live_server.url + path)
        page.locator(".js-plotly-plot .main-svg").first.wait_for()
        page.locator(".js-plotly-plot .svg-container").first.hover()
        page.wait_for_timeout(300)
        assert page.evaluate("document.getElementById('plotly.js-style-global').sheet.cssRules.length") > 3, path
    page.goto(live_server.url + "/runs/run-1/")
    page.locator("#graph .drawing .node").first.wait_for()
    for tab in ("#tab-time", "#tab-tasks"):
        page.locator(tab).click()
        page.wait_for_load_state("networkidle")
    assert found == []


def test_an_inline_style_would_be_noticed(refused: Any, live_server: Any) -> None:
    page, found = refused
    page.goto(live_server.url + "/runs/")
    page.evaluate(
        "document.body.setAttribute('style', 'color: red'); document.head.append(document.createElement('style'))"
    )
    page.wait_for_timeout(100)
    assert found
