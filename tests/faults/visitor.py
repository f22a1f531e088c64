"""Somebody who looks at pages all the time, and notes how each answered."""

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

import httpx

from tests.installation import Site
from tests.signedin import signed_in_client

PATHS = ("/", "/approvals/", "/agents/", "/dead-letters/", "/api/v1/health", "/api/v1/runs")


class Answer(NamedTuple):
    """How a page answered: status (0: not at all within 30 s), seconds it took, and when (monotonic)."""

    path: str
    status: int
    seconds: float
    at: float


class Visitor:
    """Visits pages from a thread of its own, a few a second; use it as a context manager."""

    def __init__(self, site: Site, paths: Sequence[str] = PATHS, *, every: float = 0.2) -> None:
        self.answers: list[Answer] = []
        self._paths = paths
        self._every = every
        self._client = signed_in_client(site.address)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="visitor", daemon=True)

    def since(self, at: float) -> list[Answer]:
        """The answers to visits that began at or after an instant (monotonic)."""
        return [answer for answer in self.answers if answer.at >= at]

    def __enter__(self) -> "Visitor":
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        self._thread.join(60)
        self._client.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            for path in self._paths:
                self._visit(path)
                if self._stop.wait(self._every):
                    return

    def _visit(self, path: str) -> None:
        began = time.monotonic()
        try:
            status = self._client.get(path).status_code
        except httpx.TransportError:
            status = 0
        self.answers.append(Answer(path, status, time.monotonic() - began, began))


def p95(answers: Sequence[Answer]) -> float:
    """The 95th percentile of the seconds they took."""
    seconds = sorted(answer.seconds for answer in answers)
    return seconds[max(0, round(len(seconds) * 0.95) - 1)]
