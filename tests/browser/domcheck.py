"""Looks at a drawn graph as a reader would: no two boxes overlap, no label leaves its box, no edge runs through one."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

CHECK = (Path(__file__).parent / "domcheck.js").read_text()


def look(page: Page) -> dict[str, Any]:
    """{faults: sentences, boxes, edges, elements} of the graph on a run page."""
    page.wait_for_selector(".drawing .node")
    found: dict[str, Any] = page.evaluate(CHECK)
    return found
