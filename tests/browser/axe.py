"""Asks axe-core, out of an installed package, what is wrong with a page for those who cannot see or point."""

from importlib.resources import files
from typing import Any, Final

from playwright.sync_api import Page

SCRIPT: Final = (files("axe_playwright_python") / "axe.min.js").read_text()


def violations(page: Page) -> list[str]:
    """One sentence for each rule that a page breaks, with the first elements that break it."""
    page.evaluate(SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)"
    )
    return [
        f"{each['id']}: {each['help']}: " + "; ".join(str(node["html"])[:160] for node in each["nodes"][:4])
        for each in found
    ]
