"""Time travel: the page as it was at any position, and back; what is live goes on unseen, and nothing is acted on."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, WebSocketRoute

from dashboard import past
from tests.browser.runs import record
from tests.coordination.graphs import fanned
from tests.dashboard.scenes import member, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
BRANCHES = 9


@pytest.fixture
def page(opened: Callable[..., Page]) -> Iterator[Page]:
    """Nine branches; one after the other is begun and ends, the third and the seventh fail."""
    past.forget()
    story = fanned(BRANCHES)
    for index in range(BRANCHES):
        story.say("task.started", f"b{index:04}")
        story.say("task.failed" if index in (2, 6) else "task.completed", f"b{index:04}")
    record(story)
    found = opened()
    found.wait_for_selector("#scrubber .changes")
    found.wait_for_selector(".timeline .row")
    yield found
    past.forget()


def at_count(page: Page, count: int) -> None:
    """Waits until the page stands after so many events, and everything is drawn."""
    page.wait_for_selector(f'#travel-track[aria-valuetext^="past"][aria-valuenow="{count}"]')
    page.wait_for_selector("#scrubber:not([aria-busy=true])")


def is_live(page: Page) -> None:
    page.wait_for_selector('#travel-track[aria-valuetext="live"]')
    page.wait_for_selector("#scrubber:not([aria-busy=true])")


def tally(page: Page) -> str:
    return page.locator("#tally").inner_text()


def picture(page: Page) -> tuple[Any, ...]:
    """What graph, timeline and header say."""
    nodes = page.locator(".drawing .node").evaluate_all("(all) => all.map((one) => one.getAttribute('aria-label'))")
    rows = page.locator(".timeline .row").evaluate_all("(all) => all.map((one) => one.getAttribute('aria-label'))")
    return sorted(nodes), rows, tally(page), page.locator("#hold").inner_text()


def test_events_and_failures_are_stepped_through_by_keys(page: Page) -> None:
    last = 2 + 1 + BRANCHES + 2 * BRANCHES
    page.keyboard.press(",")
    at_count(page, last - 1)
    page.keyboard.press("[")
    at_count(page, last - 4)
    assert tally(page) == f"5 / {BRANCHES + 2}"
    page.keyboard.press("[")
    at_count(page, last - 12)
    page.keyboard.press(".")
    at_count(page, last - 11)
    page.keyboard.press("]")
    at_count(page, last - 4)


def test_the_page_says_that_it_is_in_the_past_and_escape_leads_back(page: Page) -> None:
    before = picture(page)
    page.keyboard.press("[")
    at_count(page, 26)
    assert page.locator("[data-live-pill]").inner_text() == "PAST"
    assert picture(page) != before
    page.keyboard.press("Escape")
    is_live(page)
    assert page.locator("[data-live-pill]").inner_text() != "PAST"
    assert "at=" not in page.url
    assert picture(page) == before


def test_the_address_holds_the_position_and_a_reload_shows_the_same(page: Page) -> None:
    page.keyboard.press("[")
    at_count(page, 26)
    page.keyboard.press(",")
    at_count(page, 25)
    before = picture(page)
    assert "at=coord.run.task.events-" in page.url
    page.reload()
    page.wait_for_selector(".timeline .row")
    page.wait_for_selector(".drawing .node")
    at_count(page, 25)
    assert picture(page) == before
    assert page.locator("[data-live-pill]").inner_text() == "PAST"


def test_the_playhead_is_dragged_through_the_run_to_its_end(page: Page) -> None:
    box = page.locator("#travel-track").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20, steps=4)
    page.wait_for_selector("html.past")
    assert page.locator("#scrubber .playhead circle").count() == 0
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20, steps=4)
    page.mouse.up()
    is_live(page)
    assert page.locator("#scrubber .playhead circle").count() == 1
    assert page.locator("html.past").count() == 0


def test_nothing_that_was_drawn_moves_and_what_comes_back_has_its_place(page: Page) -> None:
    places = "(all) => Object.fromEntries(all.map((one) => [one.dataset.node, one.getAttribute('transform')]))"
    drawn = page.locator(".drawing [data-node]")
    before = drawn.evaluate_all(places)
    page.locator("[data-go=first]").click()
    at_count(page, 1)
    assert len(drawn.evaluate_all(places)) == 1
    assert drawn.evaluate_all(places).items() <= before.items()
    page.keyboard.press("Escape")
    is_live(page)
    assert drawn.evaluate_all(places) == before


def test_tasks_joins_and_why_they_wait_are_those_of_then(page: Page) -> None:
    page.locator("#tab-joins").click()
    assert f"{BRANCHES} of" in page.locator("#joins .join").inner_text()
    page.locator("[data-go=first]").click()
    at_count(page, 1)
    assert page.locator("#joins .join").count() == 0
    page.locator("#tab-tasks").click()
    assert page.locator("#tasks tr").count() == 1
    assert page.locator("#tasks tr td").nth(2).inner_text() == "requested"


def test_played_it_runs_to_the_end(page: Page) -> None:
    page.keyboard.press("[")
    at_count(page, 26)
    for _ in range(5):
        page.locator("[data-go=faster]").click()
    assert page.locator("[data-go=faster]").inner_text() == "60×"
    page.keyboard.press("p")
    is_live(page)
    assert page.locator("[data-go=play]").get_attribute("aria-pressed") == "false"


def test_nothing_is_acted_on_from_the_past(page: Page) -> None:
    page.evaluate("""() => {
      const button = Object.assign(document.createElement('button'), { id: 'deed', textContent: 'Cancel' });
      button.dataset.act = 'cancel';
      button.addEventListener('click', () => { window.deeds = (window.deeds ?? 0) + 1; });
      document.querySelector('#about').prepend(button);
    }""")
    page.locator("#deed").click()
    page.keyboard.press("[")
    at_count(page, 26)
    page.locator("#deed").click()
    assert page.evaluate("window.deeds") == 1
    assert "past" in page.locator("#scrubber .said").inner_text()
    page.keyboard.press("Escape")
    is_live(page)
    page.locator("#deed").click()
    assert page.evaluate("window.deeds") == 2


def test_links_into_the_run_lead_to_the_same_moment_and_back_to_now(page: Page) -> None:
    page.keyboard.press("[")
    at_count(page, 26)
    page.locator(".drawing .member", has_text="b0002").click()
    page.wait_for_selector("#chosen-failure article.failure")
    assert page.locator("#chosen-failure [data-act]").count() == 0
    page.locator("#chosen a", has_text="Open task").first.click()
    page.wait_for_selector("#task[data-at]")
    page.wait_for_selector("[data-live-pill][data-live=past]")
    assert "after event 26 of 30" in page.locator(".banner.then").inner_text()
    page.get_by_role("link", name="The run then").click()
    at_count(page, 26)
    page.go_back()
    page.get_by_role("link", name="Back to now").click()
    page.wait_for_selector("#task:not([data-at])")
    assert "at=" not in page.url


def test_a_position_that_is_none_is_told_and_the_page_is_live(page: Page) -> None:
    page.goto(f"{page.url.partition('?')[0]}?at=nowhere-1@7")
    page.wait_for_selector("#scrubber .changes")
    assert "no position" in page.locator("#scrubber .said").inner_text()
    assert page.locator("[data-live-pill]").inner_text() != "PAST"


def test_the_crosshair_is_shared_with_the_timeline(page: Page) -> None:
    box = page.locator(".timeline .rows").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 10)
    assert page.locator("#scrubber .hair path").count() == 1
    track = page.locator("#travel-track").bounding_box()
    assert track is not None
    page.mouse.move(track["x"] + 200, track["y"] + 10)
    assert page.locator(".timeline .rows .hair").count() == 1


def test_changes_that_come_meanwhile_are_counted_and_disturb_nothing(
    page: Page, browser: Browser, live_server: Any
) -> None:
    sockets: list[WebSocketRoute] = []
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies(
        [{"name": name, "value": signed_in(member("other", "all")).cookies[name].value, "url": live_server.url}]
    )
    context.route_web_socket("**/ws/live", lambda socket: sockets.append(socket))
    other = context.new_page()
    other.goto(f"{live_server.url}/runs/run-1/")
    other.wait_for_selector(".timeline .row")
    other.keyboard.press("[")
    at_count(other, 26)
    before = picture(other)
    row = {"kind": "task", "id": "b0000", "revision": 99, "order": [0, 0, "b0000"], "name": "new", "state": "failed"}
    delta = {"about": "run:run-1", "from": 1, "to": 2, "rows": [row, {**row, "id": "b0001"}], "gone": []}
    sockets[0].send(json.dumps({"at": "2026-01-01T00:00:00Z", "revision": {"run:run-1": 1}}))
    sockets[0].send(json.dumps(delta))
    other.wait_for_selector("#scrubber .said:text-is('2 changes came meanwhile')")
    assert picture(other) == before
    context.close()
