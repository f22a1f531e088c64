"""Somebody who decides all the time, whatever is broken, and remembers what the site promised."""

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.installation import Api

EVERY = 0.3


class Reviewer:
    """Decides open requests from a thread of its own; use it as a context manager.

    Each decision has its Idempotency-Key and is asked for again, with the same key, until there is an answer:
    so whether it was saved is always known in the end. `promised` are the ids of decisions that were answered
    with a receipt, `lost` counts those somebody else or the log had decided before.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reviewer", daemon=True)
        self._keys = itertools.count()
        self._done: set[str] = set()
        self.promised: set[str] = set()
        self.lost = 0
        self.unanswered = 0

    def __enter__(self) -> "Reviewer":
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        self._thread.join(90)
        assert not self._thread.is_alive(), "the reviewer hangs"

    def __str__(self) -> str:
        return f"{len(self.promised)} decisions promised, {self.lost} lost, {self.unanswered} tries unanswered"

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            for approval_id in self._open():
                self._decide(approval_id)
                if self._stop.is_set():
                    return

    def _open(self) -> list[str]:
        rows = self._answer(lambda: self._api.get("approvals", limit=20)["items"]) or []
        return [row["approval_id"] for row in rows if row["approval_id"] not in self._done]

    def _decide(self, approval_id: str) -> None:
        """Decide on what is shown; the same words with the same key until the site has answered."""
        path, key = f"approvals/{approval_id}", f"storm-{next(self._keys)}"
        asked = self._answer(lambda: self._api.get(path))
        if asked is None:
            return
        body = {"decision": "approve", **{name: asked[name] for name in ("request_version", "content_hash")}}
        saved = self._answer(lambda: self._api.post(f"{path}/decisions", body, key=key))
        if saved is not None and "decision_id" in saved:
            self.promised.add(saved["decision_id"])
        self._done.add(approval_id)

    def _answer(self, ask: Callable[[], Any]) -> Any:
        """What the site answers in the end; None if it refused."""
        while True:
            try:
                return ask()
            except httpx.HTTPStatusError as refused:
                if refused.response.status_code < 500:
                    self.lost += 1
                    return None
            except httpx.HTTPError:
                pass
            self.unanswered += 1
            time.sleep(EVERY)
