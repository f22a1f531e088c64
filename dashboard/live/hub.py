"""The hub of a process: collects what changed, and sends it to the sockets of this process.

All methods but `offer_from_anywhere` belong to the event loop of the sockets. Revisions are one count for the
whole hub, so that an acknowledgement means the same whatever is watched.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Final

from coordination.instants import rfc3339
from dashboard.live.viewer import Socket, Viewer
from dashboard.live.watch import Frame, Row, Watch

log = logging.getLogger(__name__)
MIN_INTERVAL: Final = 0.2  # seconds between messages to one viewer: five a second


class Hub:
    """Watches by what they are about, viewers by socket."""

    def __init__(self) -> None:
        # Begins with the time, so that a browser that comes back to a restarted process never holds its revision.
        self.revision = time.time_ns() // 1_000_000
        self.viewers: dict[Socket, Viewer] = {}
        self._watches: dict[str, Watch] = {}
        self._watching: dict[str, set[Viewer]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._sent_at: dict[str, float] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wanted(self, about: str) -> bool:
        """Whether somebody watches it; any thread may ask."""
        return about in self._watches

    def join(self, socket: Socket, abouts: Iterable[str]) -> dict[str, int]:
        """From now on the socket hears of exactly these. Returns the revision of each."""
        self._loop = asyncio.get_running_loop()
        viewer = self.viewers.setdefault(socket, Viewer(socket))
        wanted = set(abouts)
        for about in viewer.abouts - wanted:
            self._drop(viewer, about)
        for about in wanted - viewer.abouts:
            self._watching.setdefault(about, set()).add(viewer)
            if about not in self._watches:
                self._watches[about] = Watch(about, self.revision, self._loop.time())
        viewer.abouts = wanted
        return {about: self._watches[about].revision for about in wanted}

    def leave(self, socket: Socket) -> None:
        """The socket is closed."""
        viewer = self.viewers.pop(socket, None)
        for about in viewer.abouts if viewer else ():
            self._drop(viewer, about)

    async def acknowledge(self, socket: Socket, to: int) -> None:
        """The browser has taken in everything up to `to`."""
        viewer = self.viewers.get(socket)
        for about in viewer.acknowledge(to) if viewer else ():
            await self._send(viewer, self._watches[about].hole(_now()))

    def offer(self, about: str, rows: Iterable[Row], gone: Iterable[str] = (), whole: bool = True) -> None:
        """Rows that changed and ids that are gone, to be sent when their time has come."""
        watch = self._watches.get(about)
        if watch is not None:
            if not whole:
                watch.break_chain()
            watch.offer(rows, gone)
            self._plan(watch)

    def offer_from_anywhere(self, about: str, rows: Sequence[Row], gone: Sequence[str], whole: bool) -> None:
        """`offer` from another thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed() and self.wanted(about):
            loop.call_soon_threadsafe(self.offer, about, rows, gone, whole)

    def resync(self, abouts: Iterable[str] | None = None) -> None:
        """Messages were lost: all who watch (these, or anything) shall ask the API again."""
        for about in list(self._watches if abouts is None else abouts):
            watch = self._watches.get(about)
            if watch is not None:
                watch.break_chain()
                self._plan(watch)

    def _drop(self, viewer: Viewer | None, about: str) -> None:
        watching = self._watching[about]
        watching.discard(viewer)
        if not watching:
            del self._watching[about], self._watches[about]
            self._sent_at.pop(about, None)
            timer = self._timers.pop(about, None)
            if timer is not None:
                timer.cancel()

    def _plan(self, watch: Watch) -> None:
        if watch.about in self._timers or not watch.waiting or self._loop is None:
            return
        # Who watches several things shall not hear more often for it.
        busiest = max((len(viewer.abouts) for viewer in self._watching[watch.about]), default=1)
        due = self._sent_at.get(watch.about, 0.0) + MIN_INTERVAL * busiest
        self._timers[watch.about] = self._loop.call_at(max(due, self._loop.time()), self._flush, watch)

    def _flush(self, watch: Watch) -> None:
        del self._timers[watch.about]
        self.revision += 1
        loop = asyncio.get_running_loop()
        self._sent_at[watch.about] = loop.time()
        frame = watch.frame(self.revision, _now(), loop.time())
        task = loop.create_task(self._spread(watch.about, frame))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        self._plan(watch)

    async def _spread(self, about: str, frame: Frame) -> None:
        for viewer in tuple(self._watching.get(about, ())):
            if viewer.full:
                viewer.missed.add(about)
            else:
                await self._send(viewer, frame)

    async def _send(self, viewer: Viewer | None, frame: Frame) -> None:
        if viewer is None:
            return
        try:
            await viewer.send(frame)
        except Exception as error:  # a socket that died meanwhile must not keep the others waiting
            log.debug("A viewer is gone: %s", error)
            self.leave(viewer.socket)


def _now() -> str:
    return rfc3339(time.time_ns() // 1000)


hub: Final = Hub()
"""The hub of this process."""
