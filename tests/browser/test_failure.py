"""From the board to the root cause in one click and to its raw record in two, by mouse and by keyboard alone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dashboard.models import Decision
from tests.browser.cascade import cascade, keep

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_click_from_the_board_shows_the_root_cause_and_two_its_raw_record(visited: Callable[..., Page]) -> None:
    keep(cascade())
    page = visited("/")
    row = page.locator(".run-row")
    expect(row).to_contain_text("1 cause, 200 blocked")
    row.locator("a.cause").click()
    panel = page.locator("#failure")
    expect(panel.locator("h1")).to_have_text("fetch_traces")
    for words in ("First cause", "It blocks 200 tasks", "TimeoutError", "tempo query exceeded 30 s", "tempo.query"):
        expect(panel).to_contain_text(words)
    expect(panel.locator(".chain li")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"/$"))
    panel.locator("[data-raw]").first.click()
    expect(page.locator("h1")).to_have_text("task.failed")
    expect(page.locator("body")).to_contain_text("Envelope")


def test_the_same_by_keyboard_alone(visited: Callable[..., Page]) -> None:
    keep(cascade(20))
    page = visited("/")
    page.wait_for_selector(".run-row")
    page.keyboard.press("j")
    page.keyboard.press("Tab")
    expect(page.locator("a.cause")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#failure h1")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#failure")).to_be_hidden()
    expect(page.locator("a.cause")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#failure h1")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.hasAttribute('data-raw')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("task.failed")


def test_attempts_are_tabs_with_what_differs_between_them(visited: Callable[..., Page]) -> None:
    keep(cascade(3))
    page = visited("/runs/run-1/tasks/fetch/")
    tabs = page.locator(".attempt-panel [role=tab]")
    expect(tabs).to_have_count(2)
    shown = page.locator(".try:not([hidden])")
    expect(shown.locator(".diff").first).to_contain_text("minutes")
    expect(shown.locator(".diff td .old").first).to_have_text("30")
    expect(shown.locator(".diff td.new").first).to_have_text("5")
    expect(shown).to_contain_text("tempo.query")
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".try:not([hidden])")).to_contain_text("It called nothing")


def test_a_blocked_task_names_its_cause_and_the_count_leads_to_the_list(visited: Callable[..., Page]) -> None:
    keep(cascade(12))
    page = visited("/runs/run-1/tasks/probe-003/")
    origin = page.locator(".origin")
    expect(origin).to_contain_text("Follows from")
    origin.locator("a").last.click()
    expect(page).to_have_url(re.compile("query=blocked-by"))
    expect(page.locator("#tasks tr")).to_have_count(12)


def test_the_run_page_shows_it_in_its_inspector(opened: Callable[..., Page]) -> None:
    keep(cascade(12))
    page = opened()
    page.locator('.node[data-id="task:fetch"]').click()
    expect(page.locator("#chosen-failure")).to_contain_text("It blocks 12 tasks")
    expect(page.locator("#chosen-failure .origin")).to_be_visible()
    page.locator("#chosen-failure [data-raw]").first.click()
    expect(page.locator("h1")).to_have_text("task.failed")


def test_a_task_is_retried_from_the_inspector_and_the_page_says_what_became_of_it(opened: Callable[..., Page]) -> None:
    keep(cascade(3))
    page = opened()
    page.locator('.node[data-id="task:fetch"]').click()
    acts = page.locator("#chosen-failure [data-acts]")
    acts.locator("[data-act=retry]").click()
    acts.locator("textarea").fill("tempo is back")
    acts.locator("[data-go]").click()
    expect(acts.locator("[data-outcome]")).to_contain_text("Saved")
    kept = Decision.objects.get()
    assert (kept.kind, kept.provenance["reason"]) == ("retry", "tempo is back")
    page.goto(page.url.partition("#")[0] + "tasks/fetch/")
    expect(page.locator(".acted")).to_contain_text("Retry as new task by viewer")
    expect(page.locator(".acted")).to_contain_text("Waits to be sent")
