"""The drawn graph: readable whatever the run, walked by keys, opened in place, never moving by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.domcheck import look
from tests.browser.runs import chain, keep, many_kinds, nested, random_graph, wide
from tests.coordination.graphs import Run as Story
from tests.coordination.graphs import fanned

pytestmark = pytest.mark.django_db(transaction=True)


STORIES: dict[str, Callable[[], Story]] = {
    "few": lambda: fanned(4),
    "wide": wide,
    "nested": nested,
    "random": random_graph,
    "chain": chain,
    "many kinds": many_kinds,
}


@pytest.mark.parametrize("name", STORIES)
def test_no_box_label_or_edge_is_in_the_way_of_another(opened: Callable[..., Page], name: str) -> None:
    keep(STORIES[name]())
    found = look(opened())
    assert found["faults"] == []
    assert found["elements"] <= 400


def test_the_look_at_a_drawing_finds_what_is_in_the_way(opened: Callable[..., Page]) -> None:
    keep(fanned(4))
    page = opened()
    page.wait_for_selector(".drawing .node")
    page.evaluate(
        "document.querySelector('[data-node=\"task:write\"]').setAttribute('transform', 'translate(190, 100)')"
    )
    faults = " ".join(look(page)["faults"])
    assert "overlaps" in faults or "runs through" in faults


def test_an_opened_fold_shows_marks_and_its_tasks_failed_first(opened: Callable[..., Page]) -> None:
    keep(wide(60))
    page = opened()
    page.locator('.node[aria-label^="search"]').focus()
    page.keyboard.press("Space")
    page.wait_for_selector('.node[aria-expanded="true"] .segment')
    assert look(page)["faults"] == []
    page.wait_for_selector("#task-part:not([hidden]) #tasks tr")
    assert "failed" in page.locator("#tasks tr").first.inner_text()
    assert page.locator("#tasks tr").count() == 50


def test_three_failures_stand_in_the_picture_and_f_walks_them(opened: Callable[..., Page]) -> None:
    keep(wide(10_000))
    page = opened()
    assert page.locator(".member.c-failed").count() == 3
    assert look(page)["elements"] <= 400
    page.locator(".node").first.focus()
    seen = []
    for _ in range(4):
        page.keyboard.press("f")
        seen.append(page.evaluate("document.activeElement.dataset.id"))
    assert {"task:b0000", "task:b0001", "task:b0002"} <= set(seen)


def test_arrows_walk_edges_and_enter_shows_the_details(opened: Callable[..., Page]) -> None:
    keep(fanned(40))
    page = opened()
    page.locator('.node[data-id="task:plan"]').focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("search")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_selector("#chosen:not([hidden])")
    assert "plan" in page.locator("#chosen").inner_text()
    assert page.url.endswith("#node=task%3Aplan")


def test_plus_minus_and_nought_zoom(opened: Callable[..., Page]) -> None:
    keep(fanned(40))
    page = opened()
    page.locator(".node").first.focus()
    widths = [page.evaluate("document.querySelector('.drawing').clientWidth")]
    for key in ("+", "-", "-", "0"):
        page.keyboard.press(key)
        widths.append(page.evaluate("document.querySelector('.drawing').clientWidth"))
    assert widths[1] > widths[0] == widths[2] > widths[3]
    assert widths[4] == widths[0]


def test_isolating_a_node_dims_what_neither_leads_to_it_nor_follows_from_it(opened: Callable[..., Page]) -> None:
    keep(fanned(4))
    page = opened()
    page.locator('.node[data-id="task:b0001"]').focus()
    dimmed = "[...document.querySelectorAll('.places .dim')].map((one) => one.dataset.node)"
    page.keyboard.press("i")
    assert set(page.evaluate(dimmed)) == {"task:b0000", "task:b0002", "task:b0003"}
    page.locator("#graph-alone").click()
    assert page.evaluate(dimmed) == []
    page.locator("#graph-alone").click()
    assert page.locator("#graph-alone").get_attribute("aria-pressed") == "true"
    assert len(page.evaluate(dimmed)) == 3


def test_a_wide_chain_goes_on_in_a_line_below(opened: Callable[..., Page]) -> None:
    keep(chain(60))
    page = opened()
    tops = {page.locator(".place").nth(place).bounding_box()["y"] for place in range(9)}  # type: ignore[index]
    assert len(tops) > 1
    drawn, room = (page.evaluate("(name) => document.querySelector(name).clientWidth", one) for one in WIDTHS)
    assert drawn <= room
    assert look(page)["faults"] == []
    assert not page.locator(".minimap").is_visible()


def test_a_large_picture_has_a_small_one_beside_it(opened: Callable[..., Page]) -> None:
    keep(many_kinds())
    page = opened()
    assert page.locator(".minimap rect").count() == 181
    where = "[document.querySelector('.stage').scrollLeft, document.querySelector('.stage').scrollTop]"
    page.evaluate("document.querySelector('.stage').scrollTo(0, 0)")
    page.locator(".minimap").click(position={"x": 84, "y": 100})
    assert page.evaluate(where)[1] > 0


WIDTHS = (".drawing", ".stage")
# Where a pixel of a canvas is not empty, something was painted there.
PAINTED = """(name) => { const layer = document.querySelector(`canvas.${name}`);
  if (layer.hidden) return 0;
  const pixels = layer.getContext('2d').getImageData(0, 0, layer.width, layer.height).data;
  return pixels.filter((one) => one).length; }"""


def test_from_afar_the_picture_is_painted_and_keys_still_walk_it(opened: Callable[..., Page]) -> None:
    keep(many_kinds())
    page = opened()
    assert page.evaluate(PAINTED, "lower") == 0
    page.locator(".node").first.focus()
    for _ in range(8):
        page.keyboard.press("-")
    page.wait_for_selector(".drawing.far")
    assert page.evaluate(PAINTED, "lower") > 1_000
    assert page.evaluate(PAINTED, "upper") > 10
    before = page.evaluate("document.activeElement.dataset.id")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.id") != before
    page.locator(".node").nth(5).click(position={"x": 4, "y": 4})
    assert page.locator('.node[aria-pressed="true"]').count() == 1
    for _ in range(8):
        page.keyboard.press("+")
    page.wait_for_selector(".drawing:not(.far)")
    assert page.evaluate(PAINTED, "lower") == 0


def test_the_table_says_what_the_drawing_shows(opened: Callable[..., Page]) -> None:
    keep(fanned(40))
    page = opened()
    labels = page.evaluate(
        "[...document.querySelectorAll('.places .node .name:not([text-anchor])')].map((one) => one.textContent)"
    )
    page.locator("#graph-table").click()
    words = page.locator(".twin").inner_text()
    assert all(label in words for label in labels if "…" not in label)


def test_a_run_without_tasks_says_so(opened: Callable[..., Page]) -> None:
    keep(Story())
    page = opened()
    assert "No task was asked for yet" in page.locator("#graph .graph-note").inner_text()


GROW = (Path(__file__).parent / "grow.js").read_text()


def test_what_is_drawn_never_moves_while_a_run_grows(opened: Callable[..., Page]) -> None:
    keep(fanned(4))
    page = opened()
    assert page.evaluate(GROW) == []
    overlaps = [fault for fault in look(page)["faults"] if "overlaps" in fault]
    assert overlaps == []


@pytest.mark.parametrize("width", [360, 1024])
def test_on_small_screens_the_page_does_not_scroll_sideways(opened: Callable[..., Page], width: int) -> None:
    keep(wide(60))
    page = opened(width=width, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
