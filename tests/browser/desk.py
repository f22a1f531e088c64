"""A reviewer's desk for browser tests: signed in, with a socket in the test's hand, so that it says when news come."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, WebSocketRoute

from dashboard.api.queue import rows_of
from dashboard.clock import database_now
from dashboard.models import Request
from tests.browser.pagecheck import faults
from tests.dashboard.scenes import signed_in


class Desk:
    """One browser window of one person. `tell` sends them the rows of requests, as the live hub would."""

    def __init__(self, browser: Browser, address: str, person: User, *, width: int = 1440, height: int = 900) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height})
        name = settings.SESSION_COOKIE_NAME
        session = signed_in(person).cookies[name].value
        self.context.add_cookies([{"name": name, "value": session, "url": address}])
        self._address, self._sockets = address, list[WebSocketRoute]()
        self._revisions = itertools.count(1)
        self.context.route_web_socket("**/ws/live", self._joined)
        self.page: Page = self.context.new_page()

    def _joined(self, socket: WebSocketRoute) -> None:
        self._sockets.append(socket)
        socket.on_message(lambda message: None)

    def open(self, path: str) -> Page:
        """Go to a page and wait until its scripts have run."""
        self.page.goto(f"{self._address}{path}")
        self.page.wait_for_selector("[data-live-pill][data-live]")
        return self.page

    def review(self, approval_id: str = "ask-1") -> Page:
        """The review of one request."""
        return self.open(f"/approvals/{approval_id}/")

    def tell(self, *approval_ids: str) -> None:
        """Send the rows of these requests as they are now."""
        rows = rows_of(Request.objects.filter(approval_id__in=approval_ids), database_now())
        number = next(self._revisions)
        delta: dict[str, Any] = {"about": "approvals", "from": number - 1, "to": number, "rows": rows, "gone": []}
        self._sockets[-1].send(msgspec.json.encode(delta).decode())

    def lose(self) -> None:
        """Cut the connection, and every one that follows."""
        self.context.route_web_socket("**/ws/live", lambda socket: socket.close())
        self._sockets[-1].close()

    def words(self, selector: str = "main") -> str:
        """What stands there, blanks put together."""
        return " ".join(self.page.locator(selector).inner_text().split())

    def looks_right(self, shots: Path | None = None, name: str = "") -> None:
        """Assert that nothing overlaps or is cut off; keeps a picture where asked for."""
        if shots is not None:
            self.page.screenshot(path=shots / f"{name}.png")
        assert faults(self.page) == [], self.page.url

    def wait(self, holds: Callable[[], bool]) -> None:
        """Wait until something about this page is so."""
        for _ in range(200):
            if holds():
                return
            self.page.wait_for_timeout(25)
        raise AssertionError(f"never so: {self.words()}")
