"""Wakes readers that wait for records, on whichever event loop of this process they wait."""

import asyncio
import contextlib
import threading


class Wakeup:
    """Counts changes and wakes those who wait for the next one. Any thread may call any method.

    To miss nothing: take `version`, look for records, and if there are none `wait` with that version. A change
    made between looking and waiting then ends the wait at once.
    """

    def __init__(self) -> None:
        self.version = 0
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}

    def wake(self) -> None:
        """Tell everybody who waits that something changed."""
        with self._lock:
            self.version += 1
            waiting, self._waiting = self._waiting, {}
            for future, loop in waiting.items():
                # A loop that was closed while its reader waited has nobody left to wake.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(_resolve, future)

    async def wait(self, seen: int, timeout: float) -> bool:
        """Wait until `version` is no longer `seen`, at most `timeout` seconds; False: time was up."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        with self._lock:
            if self.version != seen:
                return True
            self._waiting[future] = loop
        # A timer is cheaper than asyncio.timeout, and readers of a quiet log wait 40 times a second.
        timer = loop.call_later(timeout, _resolve, future)
        try:
            await future
        finally:
            timer.cancel()
            with self._lock:
                self._waiting.pop(future, None)
        return self.version != seen


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
