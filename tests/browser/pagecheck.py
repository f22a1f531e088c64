"""Looks at a page as a reader would: no words on other words, none cut off, nothing that scrolls sideways."""

from pathlib import Path

from playwright.sync_api import Page

CHECK = (Path(__file__).parent / "pagecheck.js").read_text()


def faults(page: Page) -> list[str]:
    """Sentences about what is in the way on the page as it stands; empty if all is well."""
    found: list[str] = page.evaluate(CHECK)
    return found
