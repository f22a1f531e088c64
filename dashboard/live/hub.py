"""The hub of a process: collects what changed, and sends it to the sockets of this process.

All methods but `offer_from_anywhere` belong to the event loop of the sockets. Revisions are one count for the
whole hub, so that an acknowledgement means the same whatever is watched.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from coordination.instants import rfc3339
from dashboard.live.viewer import Socket, Viewer
from dashboard.live.watch import Frame, Row, Watch
from dashboard.models.tenancy import Tenants

log = logging.getLogger(__name__)
MIN_INTERVAL: Final = 0.1  # seconds between messages to one viewer: ten a second
# Messages in any one second. Of a run a page draws a picture, of health a stamp: together five at most. The first few
# after a quiet while go as briskly as elsewhere, so that a single change is seen at once.
CALMER: Final = {"run": 4, "health": 1}
SECOND: Final = 1.02  # timers may fire a little late, and the next one in time
# What holds rows of many tenants; who watches a single run was asked for the right to it.
MIXED: Final = frozenset({"board", "approvals", "health"})


class Hub:
    """Watches by key, viewers by socket. The key is what a watch is about and, where that holds rows of many
    tenants and the viewer may not see all, the tenants."""

    def __init__(self) -> None:
        # Begins with the time, so that a browser that comes back to a restarted process never holds its revision.
        self.revision = time.time_ns() // 1_000_000
        self.viewers: dict[Socket, Viewer] = {}
        self._watches: dict[str, Watch] = {}
        self._keys: dict[str, set[str]] = {}
        self._watching: dict[str, set[Viewer]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._sent_at: dict[str, deque[float]] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wanted(self, about: str) -> bool:
        """Whether somebody watches it; any thread may ask."""
        return about in self._keys

    def watched(self) -> frozenset[str]:
        """All that somebody watches."""
        return frozenset(self._keys)

    def join(self, socket: Socket, abouts: Iterable[str], tenants: Tenants = None) -> dict[str, int]:
        """From now on the socket hears of exactly these, as far as they are of these tenants (None: of all).
        Returns the revision of each."""
        self._loop = asyncio.get_running_loop()
        viewer = self.viewers.setdefault(socket, Viewer(socket))
        keys = {about: _key(about, tenants) for about in abouts}
        wanted = set(keys.values())
        for about in viewer.abouts - wanted:
            self._drop(viewer, about)
        for about, key in keys.items():
            self._watching.setdefault(key, set()).add(viewer)
            if key not in self._watches:
                limit = None if key == about else tenants
                self._watches[key] = Watch(about, self.revision, self._loop.time(), limit)
                self._keys.setdefault(about, set()).add(key)
        viewer.abouts = wanted
        return {about: self._watches[key].revision for about, key in keys.items()}

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
        rows, gone = tuple(rows), tuple(gone)
        for key in self._keys.get(about, ()):
            watch = self._watches[key]
            if not whole:
                watch.break_chain()
            watch.offer(rows, gone)
            self._plan(key, watch)

    def offer_from_anywhere(self, about: str, rows: Sequence[Row], gone: Sequence[str], whole: bool) -> None:
        """`offer` from another thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed() and self.wanted(about):
            loop.call_soon_threadsafe(self.offer, about, rows, gone, whole)

    def resync(self, abouts: Iterable[str] | None = None) -> None:
        """Messages were lost: all who watch (these, or anything) shall ask the API again."""
        for about in list(self._keys if abouts is None else abouts):
            for key in self._keys.get(about, ()):
                watch = self._watches[key]
                watch.break_chain()
                self._plan(key, watch)

    def _drop(self, viewer: Viewer | None, key: str) -> None:
        watching = self._watching[key]
        watching.discard(viewer)
        if not watching:
            about = self._watches[key].about
            del self._watching[key], self._watches[key]
            self._keys[about].discard(key)
            if not self._keys[about]:
                del self._keys[about]
            self._sent_at.pop(key, None)
            timer = self._timers.pop(key, None)
            if timer is not None:
                timer.cancel()

    def _plan(self, key: str, watch: Watch) -> None:
        if key in self._timers or not watch.waiting or self._loop is None:
            return
        now = self._loop.time()
        self._timers[key] = self._loop.call_at(max(self._due(key, now), now), self._flush, key, watch)

    def _due(self, key: str, now: float) -> float:
        sent = self._sent_at.get(key)
        if not sent:
            return now
        most = CALMER.get(_kind(key))
        if most is None:
            return sent[-1] + MIN_INTERVAL * self._busiest(key)
        lately = sum(at > now - SECOND for at in sent)
        pace = MIN_INTERVAL if lately < most / 2 else SECOND / most
        return max(sent[-1] + pace, sent[-most] + SECOND if len(sent) >= most else now)

    def _busiest(self, key: str) -> int:
        """How many brisk things those who watch this one watch at most: who watches several shall not hear more often
        for it."""
        brisk = (sum(_kind(one) not in CALMER for one in viewer.abouts) for viewer in self._watching[key])
        return max(brisk, default=1)

    def _flush(self, key: str, watch: Watch) -> None:
        del self._timers[key]
        self.revision += 1
        loop = asyncio.get_running_loop()
        self._sent_at.setdefault(key, deque(maxlen=max(CALMER.values()))).append(loop.time())
        frame = watch.frame(self.revision, _now(), loop.time())
        task = loop.create_task(self._spread(key, frame))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        self._plan(key, watch)

    async def _spread(self, key: str, frame: Frame) -> None:
        for viewer in tuple(self._watching.get(key, ())):
            if viewer.full:
                viewer.missed.add(key)
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


def _key(about: str, tenants: Tenants) -> str:
    # No id holds a control character, so no key of one watch is that of another.
    return about if tenants is None or about not in MIXED else "\0".join((about, *sorted(tenants)))


def _kind(key: str) -> str:
    return key.partition("\0")[0].partition(":")[0]


def _now() -> str:
    return rfc3339(time.time_ns() // 1000)


hub: Final = Hub()
"""The hub of this process."""
