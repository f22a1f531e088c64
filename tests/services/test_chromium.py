"""Chromium for tests: renders pages, tells what they complain of, leaves the event loop as it was."""

import asyncio
import os

from tests.services.chromium import Chromium, Faults

PAGE = "<!doctype html><title>Runs</title><h1>Runs</h1><script>document.title += ' 3'</script>"
BROKEN = "<script>console.error('no socket'); console.log('fine'); throw new Error('no rows')</script>"


def test_a_page_is_rendered_without_a_fault(chromium: Chromium) -> None:
    with chromium.browser() as browser:
        page = browser.new_page()
        faults = Faults(page)
        page.set_content(PAGE)
        assert page.get_by_role("heading", name="Runs").is_visible()
        assert page.title() == "Runs 3"
        assert faults.seen == []


def test_faults_of_a_page_are_told(chromium: Chromium) -> None:
    with chromium.browser() as browser:
        page = browser.new_page()
        faults = Faults(page)
        page.set_content(BROKEN)
        page.set_content("<img src='http://127.0.0.1:9/none.png'>")
        assert "console error: no socket" in faults.seen
        assert "uncaught: no rows" in faults.seen
        assert any(fault.startswith("request failed: http://127.0.0.1:9/none.png") for fault in faults.seen)
        assert not any("fine" in fault for fault in faults.seen)


def test_django_may_use_the_orm_beside_an_open_browser_only(chromium: Chromium) -> None:
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    with chromium.browser():
        assert os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] == "true"
    assert os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE") == before


async def test_asynchronous_tests_run_after_a_browser_was_open(chromium: Chromium) -> None:
    def visit() -> str:
        with chromium.browser() as browser:
            return browser.version

    assert await asyncio.to_thread(visit) == chromium.found.version
