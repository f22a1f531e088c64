"""Pictures to take away, and the compare page's picture, in the browser."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from dashboard.models import Run
from tests.browser.domcheck import look
from tests.browser.runs import keep, wide

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(opened: Callable[..., Page]) -> Page:
    keep(wide(60))
    return opened()


def taken(page: Page, picture: str, form: str) -> bytes:
    with page.expect_download() as download:
        page.locator(f'[data-picture="{picture}"][data-form="{form}"]').click()
    return Path(download.value.path()).read_bytes()


def test_a_graph_is_a_drawing_that_stands_alone(page: Page) -> None:
    root = ElementTree.fromstring(taken(page, "#graph .drawing", "svg"))
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert {"text", "path", "rect", "symbol"} <= set(tags)
    words = " ".join(text for text in root.itertext())
    assert "search" in words
    fills = {element.get("fill") for element in root.iter() if element.tag.endswith("rect")}
    assert not any("var(" in str(fill) for fill in fills)


def test_a_graph_is_an_image(page: Page) -> None:
    assert taken(page, "#graph .drawing", "png").startswith(b"\x89PNG")


def test_two_runs_are_one_readable_picture(opened: Callable[..., Page]) -> None:
    keep(wide(60), "run-1")
    keep(wide(80, failed=0), "run-2")
    Run.objects.update(workflow="incident")
    page = opened("run-1")
    page.goto(page.url.replace("/runs/run-1/", "/runs/compare/?a=run-2&b=run-1"))
    found = look(page)
    assert found["faults"] == []
    assert page.locator(".member.c-failed").count() == 3
    page.wait_for_selector("#waterfall .main-svg")
    page.locator("#as-table").click()
    assert "Wall time" in page.locator("#waterfall-table").inner_text()
    page.locator(".drawing .node").nth(1).click()
    assert page.locator('#steps tr[aria-selected="true"]').count() == 1
