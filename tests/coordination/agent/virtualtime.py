"""Time that passes only while everybody waits: what agents do then takes exactly as long as they sleep."""

import asyncio
from collections.abc import Coroutine
from typing import Any

START = 1_790_000_000_000_000


class VirtualTime:
    """A clock, and an event loop that moves it on to the next timer instead of waiting."""

    def __init__(self) -> None:
        self.passed = 0.0

    def micros(self) -> int:
        """Microseconds since 1970."""
        return START + round(self.passed * 1_000_000)

    def millis(self) -> int:
        """Milliseconds since 1970."""
        return self.micros() // 1_000

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run to the end."""
        with asyncio.Runner(loop_factory=self._loop) as runner:
            runner.run(work)

    def _loop(self) -> asyncio.AbstractEventLoop:
        loop: Any = asyncio.SelectorEventLoop()
        loop.time = lambda: self.passed
        select = loop._selector.select

        def moved(timeout: float | None) -> Any:
            if timeout is None:
                return select(0.01)
            self.passed += timeout
            return select(0)

        loop._selector.select = moved
        return loop  # type: ignore[no-any-return]
