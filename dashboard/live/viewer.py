"""One browser on the line: what it was sent and has not acknowledged.

The server cannot see whether a browser still takes in what it is sent (Daphne has no back-pressure: ten stalled
browsers took a process from 67 to 273 MB). So only a window of unacknowledged messages is sent; past it nothing
more, until the browser has acknowledged all of them and is told to ask the API again.
"""

from collections import deque
from typing import Final, Protocol

from dashboard.live.watch import Frame

WINDOW: Final = 16


class Socket(Protocol):
    """Where the messages go."""

    async def deliver(self, text: str) -> None:
        """Send one text message."""
        ...


class Viewer:
    """A socket with its window. `abouts` is what it watches, `missed` what it was not sent because it was full."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.abouts: set[str] = set()
        self.missed: set[str] = set()
        self._unacknowledged: deque[int] = deque()

    @property
    def full(self) -> bool:
        """Whether the window is used up, or was and has not emptied since."""
        return len(self._unacknowledged) >= WINDOW or bool(self.missed)

    async def send(self, frame: Frame) -> None:
        """Send a frame and count it."""
        self._unacknowledged.append(frame.to)
        await self.socket.deliver(frame.text)

    def acknowledge(self, to: int) -> set[str]:
        """Everything up to `to` has arrived. What was missed, once the window is empty again; else nothing."""
        while self._unacknowledged and self._unacknowledged[0] <= to:
            self._unacknowledged.popleft()
        if self._unacknowledged:
            return set()
        missed, self.missed = self.missed, set()
        return missed & self.abouts
