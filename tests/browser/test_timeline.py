"""The timeline: one selection with the graph, one crosshair over rows and lanes, patterns explained, keys."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dashboard.models import ConsumerGroup, GroupSnapshot, Run
from tests.browser.runs import keep, wide
from tests.coordination.graphs import Run as Story
from tests.dashboard.scenes import SECOND

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(opened: Callable[..., Page]) -> Page:
    keep(wide(60))
    start = Run.objects.get().first_at or 0
    ConsumerGroup.objects.create(group="agent.coder", agent_group="coder", taken_at=start, body='{"partitions": []}')
    for step in range(5):
        at = start + 20 * step * SECOND
        GroupSnapshot.objects.create(group="agent.coder", taken_at=at, waiting=7 * step)
    Run.objects.update(ended_at=start + 200 * SECOND, state="failed")
    found = opened()
    found.wait_for_selector(".timeline .row")
    return found


def test_there_is_a_row_for_each_node_and_surfaced_member(page: Page) -> None:
    drawn = page.locator(".drawing .node").evaluate_all("(all) => all.map((one) => one.dataset.id)")
    rows = page.locator(".timeline .row").evaluate_all("(all) => all.map((one) => one.dataset.id)")
    assert set(rows) == {name for name in drawn if not name.startswith("join:")}


def test_a_row_and_its_node_are_chosen_together(page: Page) -> None:
    page.locator('.row[data-id="task:b0000"]').click()
    page.wait_for_selector('.drawing .node[data-id="task:b0000"][aria-pressed="true"]')
    page.wait_for_selector("#chosen:not([hidden])")
    page.locator('.drawing .node[data-id="task:b0001"]').click()
    page.wait_for_selector('.row[data-id="task:b0001"][aria-pressed="true"]')
    assert page.locator('.row[aria-pressed="true"]').count() == 1


def test_the_crosshair_tells_time_and_lag_at_that_moment(page: Page) -> None:
    box = page.locator(".timeline .rows").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 10)
    page.wait_for_selector(".timeline .stamp")
    assert ":" in page.locator(".timeline .stamp").text_content().strip()  # type: ignore[union-attr]
    assert int(page.locator(".timeline .value").first.text_content() or "") in {0, 7, 14, 21, 28}


def test_arrows_walk_the_rows_and_enter_chooses(page: Page) -> None:
    page.locator(".timeline .row").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    second = page.locator(".timeline .row").nth(1)
    assert second.get_attribute("aria-pressed") == "true"


def test_the_legend_explains_the_patterns_that_are_there(page: Page) -> None:
    words = page.locator(".legend").inner_text()
    assert "in broker" in words
    assert "execution" in words
    assert "human review" not in words


def test_bars_stay_within_the_axis(page: Page) -> None:
    outside = """(rows) => {
      const box = document.querySelector('.timeline .rows').getBoundingClientRect();
      return rows.filter((row) => [...row.querySelectorAll('.segment, .broker, .queue')].some((bar) => {
        const { left, right } = bar.getBoundingClientRect();
        return left < box.left + 130 || right > box.right - 8;
      })).length;
    }"""
    assert page.locator(".timeline .row").evaluate_all(outside) == 0


def test_the_time_broken_down_sums_to_a_hundred(page: Page) -> None:
    page.locator("#tab-time").click()
    page.wait_for_selector("#time .share")
    shares = page.locator("#time .share").all_text_contents()
    assert round(sum(float(share.removesuffix(" %")) for share in shares), 6) == 100


def test_a_run_without_tasks_says_that_nothing_takes_time(opened: Callable[..., Page]) -> None:
    keep(Story())
    page = opened()
    expect(page.locator(".timeline .graph-note")).to_contain_text("Nothing")
