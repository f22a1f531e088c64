"""Traffic that keeps flowing: a producer that appends records at a steady pace, and tries again until they are on."""

import asyncio
import threading
import time
from collections.abc import Iterable
from itertools import islice

from coordination.errors import LogUnreachable
from coordination.eventlog import NewRecord
from tests.installation import Installation

CHUNK = 100


class Flow:
    """Appends `records`, which may be endless, at `pace` a second from a thread of its own.

    A record whose append had an unknown outcome is sent again, as any producer would, so that the log may hold it
    twice. `appended` counts those that are on the log for sure.
    """

    def __init__(self, installation: Installation, records: Iterable[NewRecord], pace: float) -> None:
        self._installation = installation
        self._records = iter(records)
        self._pace = pace
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="flow", daemon=True)
        self.appended = 0
        self.refused = 0

    def start(self) -> "Flow":
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> int:
        """Stop as soon as what is under way is on the log; how many records are there. Raises what broke it."""
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the producer hangs"
        if self._error is not None:
            raise self._error
        return self.appended

    def __str__(self) -> str:
        state = f"ended: {self._error!r}" if self.over else "flows"
        return f"{self.appended} appended, {self.refused} tries refused, {state}"

    @property
    def over(self) -> bool:
        """Whether it has stopped, or has nothing left."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._flow())
        except BaseException as error:
            self._error = error

    async def _flow(self) -> None:
        log = self._installation.open_log()
        began = time.monotonic()
        try:
            chunk = list(islice(self._records, CHUNK))
            while chunk and not self._stop.is_set():
                try:
                    await log.append(chunk)
                except LogUnreachable:
                    self.refused += 1
                    await asyncio.sleep(0.2)
                    continue
                self.appended += len(chunk)
                chunk = list(islice(self._records, CHUNK))
                await asyncio.sleep(max(0.0, began + self.appended / self._pace - time.monotonic()))
        finally:
            await log.close()
