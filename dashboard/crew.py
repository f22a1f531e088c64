"""The demo agents inside this process: a thread with an event loop of its own, as far from the pages as can be."""

import asyncio
import logging
import threading

from coordination.samples import run_crew
from coordination.signing import Keyring
from dashboard.decisionkey import decision_keyring
from dashboard.eventlog import close_eventlog, open_eventlog
from dashboard.manifest import manifest

log = logging.getLogger(__name__)


class Crew:
    """Agents and director of the demo. `rate` scales how busy they are, `seed` decides what happens."""

    def __init__(self, *, rate: float, seed: int) -> None:
        self._rate, self._seed = rate, seed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="agents", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, patience: float = 3.0) -> None:
        """End: what is under way is finished or given back."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(patience)

    def _run(self) -> None:
        try:
            asyncio.run(self._work())
        except Exception:
            log.exception("The demo agents ended.")

    async def _work(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            await run_crew(
                open_eventlog(),
                stop=self._stop,
                rate=self._rate,
                seed=self._seed,
                manifest=manifest(),
                keyring=Keyring.from_file(decision_keyring()),
            )
        finally:
            await close_eventlog()
