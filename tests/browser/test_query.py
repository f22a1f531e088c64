"""The query line in the browser: reached by a key, completed, pointed at, kept in the URL and on the server."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.models import SavedView
from tests.browser.runs import keep, wide
from tests.dashboard.scenes import fold, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_slash_focuses_it_and_keys_and_values_are_completed(visited: Callable[..., Page]) -> None:
    run("a", state="failed", name="broken")
    run("b", name="whole")
    fold("f", {"working": 1}, "b")
    page = visited("/")
    page.keyboard.press("/")
    page.keyboard.type("st")
    expect(page.locator(".choices li").first).to_contain_text("state:")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".choices li").first).to_contain_text("live")
    page.keyboard.type("fai")
    expect(page.locator(".choices li")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    field = page.locator("input[name=query]")
    expect(field).to_have_value("state:failed ")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?query=state%3Afailed"))
    expect(page.locator(".run-row")).to_have_count(1)
    expect(page.locator(".run-row")).to_contain_text("broken")


def test_live_values_are_offered(visited: Callable[..., Page]) -> None:
    run("b")
    fold("f", {"working": 1}, "b")
    page = visited("/runs/")
    page.locator("input[name=query]").fill("agent:res")
    expect(page.locator(".choices li")).to_have_text(["researcher"])
    page.keyboard.press("Escape")
    expect(page.locator(".choices")).to_be_hidden()
    expect(page.locator("input[name=query]")).to_have_attribute("aria-expanded", "false")


@pytest.mark.parametrize("path", ["/", "/runs/", "/approvals/", "/dead-letters/", "/audit/", "/runs/a/"])
def test_an_error_points_at_the_character(visited: Callable[..., Page], path: str) -> None:
    run("a")
    page = visited(f"{path}?query=age<1h colour:red x")
    expect(page.locator("#query-wrong mark")).to_have_text("colour")
    expect(page.locator("#query-wrong")).to_contain_text("At character 8: colour is no field of")
    caret: Any = page.evaluate("[document.activeElement.name, document.activeElement.selectionStart]")
    assert caret == ["query", 7]


def test_a_view_is_kept_on_the_server_and_taken_again(visited: Callable[..., Page]) -> None:
    run("a", state="failed", name="broken")
    run("b")
    page = visited("/?query=state:failed")
    page.locator(".views summary").click()
    page.locator(".views input.input").fill("Broken ones")
    page.locator(".views input[type=checkbox]").check()
    page.locator(".views .primary").click()
    expect(page.locator(".views li")).to_contain_text("Broken ones")
    assert SavedView.objects.get().shared
    page.goto(page.url.partition("?")[0])
    expect(page.locator(".run-row")).to_have_count(2)
    page.locator(".views summary").click()
    page.locator(".views li a").click()
    expect(page.locator(".run-row")).to_have_count(1)
    page.locator(".views summary").click()
    page.locator(".views li button").click()
    expect(page.locator(".views .none")).to_be_visible()
    assert SavedView.objects.count() == 0


def test_a_run_page_dims_filters_and_counts(opened: Callable[..., Page]) -> None:
    keep(wide(60))
    page = opened(query="?query=state:failed")
    page.wait_for_selector(".drawing .dim")
    lit = page.locator(".drawing [data-node]:not(.dim)").evaluate_all("(all) => all.map((one) => one.dataset.node)")
    assert [name.partition(":")[0] for name in lit] == ["fold"]
    assert page.locator(".member:not(.dim)").count() == 3
    expect(page.locator("#tasks tr")).to_have_count(3)
    expect(page.locator("#tasks-words")).to_have_text("3 fit the filter")
    page.locator("#tab-timeline").click()
    expect(page.locator(".timeline .row")).to_have_count(4)
