"""Chromium for tests: the machine's own, driven through Playwright; Playwright's browsers are never downloaded."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, sync_playwright

from tests.services.found import Found
from tests.services.missing import missing_program

PACKAGES = ("chromium",)
PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # the sandbox cannot be had as root or in most containers; pages here are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> Found:
    """The first Chromium or Chrome on PATH; raises Missing."""
    for name in PROGRAMS:
        program = shutil.which(name)
        if program:
            return Found("chromium", _version(program), Path(program))
    raise missing_program("Chromium", PACKAGES, "tests look at pages through it")


def _version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    match = re.search(r"[\d.]+", done.stdout)
    return match[0] if match else done.stdout.strip()


class Chromium:
    """Knows how to start the browser; costs nothing until then."""

    def __init__(self) -> None:
        self.found = find_chromium()

    def launch_options(self) -> dict[str, Any]:
        """Arguments for `playwright.chromium.launch`, of the sync or the async API."""
        return {"executable_path": str(self.found.path), "args": list(ARGUMENTS), "headless": True}

    @contextmanager
    def browser(self) -> Iterator[Browser]:
        """A running browser (about 1 s to start).

        Playwright's sync API keeps an event loop "running" in this thread as long as it is open: open it around a
        test or a module, not the session, or asynchronous tests that come after cannot run. For the same reason
        Django would refuse the ORM here, so it is told not to.
        """
        with _django_orm_allowed(), sync_playwright() as playwright:
            browser = playwright.chromium.launch(**self.launch_options())
            try:
                yield browser
            finally:
                browser.close()


@contextmanager
def _django_orm_allowed() -> Iterator[None]:
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


class Faults:
    """Everything a page complained of since this was attached: `assert not Faults(page).seen` at the end."""

    def __init__(self, page: Page) -> None:
        self.seen: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("requestfailed", self._failed)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            where = f" ({url})" if (url := message.location["url"]) else ""
            self.seen.append(f"console {message.type}: {message.text}{where}")

    def _error(self, error: Error) -> None:
        self.seen.append(f"uncaught: {error.message}")

    def _failed(self, request: Request) -> None:
        self.seen.append(f"request failed: {request.url} ({request.failure})")
