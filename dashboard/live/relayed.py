"""Between processes: publishers number their messages, listeners notice when one is missing.

The channel layer is publish/subscribe and drops silently: when a subscriber is slow, when Redis restarts. So each
publisher says once a second which number it has reached, and a listener that finds a hole tells its hub to resync.
Listeners in turn say what their hubs watch (see interest).
"""

import asyncio
import logging
import queue
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from channels.layers import get_channel_layer  # type: ignore[import-untyped]

from dashboard.live.hub import Hub
from dashboard.live.interest import BEAT, Interest, announcement
from dashboard.live.interest import GROUP as WATCHED
from dashboard.live.watch import Row

log = logging.getLogger(__name__)
GROUP: Final = "lineside.live"
WAITING: Final = 2_000
MOST_AT_ONCE: Final = 500
PATIENCE: Final = 2.0
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


class Publisher:
    """Sends from a thread of its own, so that whoever publishes never waits for Redis."""

    def __init__(self) -> None:
        self._name = secrets.token_hex(8)
        self._number = 0
        self._interest = Interest()
        self._queue: queue.Queue[Mapping[str, Any] | None] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="live-publisher", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send what waits, for at most two seconds, and end."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(2)

    def wanted(self, about: str) -> bool:
        """Whether a hub is known to watch it."""
        return self._interest.wanted(about)

    def publish(self, about: str, rows: Sequence[Row], gone: Sequence[str], whole: bool) -> None:
        """Put a message in line. One that finds no room is lost, and its number is the hole that says so."""
        message = {"about": about, "rows": _encode(list(rows)), "gone": list(gone), "whole": whole}
        with self._lock:
            self._number += 1
            try:
                self._queue.put_nowait({**message, "number": self._number})
            except queue.Full:
                return

    def _run(self) -> None:
        asyncio.run(self._send_all())

    async def _send_all(self) -> None:
        layer, reachable = get_channel_layer(), True
        hearing = asyncio.create_task(hear_all(layer, WATCHED, self._interest.hear, lambda: None))
        while not self._ended:
            messages = await asyncio.to_thread(self._next)
            try:
                await layer.group_send(GROUP, {"type": "live", "publisher": self._name, "messages": messages})
            except Exception as error:  # whatever the client library raises for a server that is away
                if reachable:
                    log.warning("Live updates cannot be sent: %s. Pages will ask again by themselves.", error)
                reachable = False
            else:
                if not reachable:
                    log.info("Live updates are sent again.")
                reachable = True
        hearing.cancel()

    def _next(self) -> list[Mapping[str, Any]]:
        """All that waits; after a second of silence the number that was reached."""
        messages: list[Mapping[str, Any]] = []
        with suppress(queue.Empty):
            while len(messages) < MOST_AT_ONCE and not self._ended:
                message = self._queue.get_nowait() if messages else self._queue.get(timeout=BEAT)
                if message is None:
                    self._ended = True
                else:
                    messages.append(message)
        return messages or [{"number": self._number, "about": ""}]


class Listener:
    """Feeds a hub from the channel layer, and says what it watches. Belongs to the event loop of the hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._name = secrets.token_hex(8)
        self._numbers: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._subscribed = asyncio.Event()
        self._announced: frozenset[str] = frozenset()

    async def start(self) -> None:
        """Subscribe, once; returns when what is published from now on will be heard. A layer that is away is waited
        for only so long: once it is heard, whoever watches is told to ask the API."""
        if not self._tasks:
            self._subscribed = asyncio.Event()
            hearing = hear_all(get_channel_layer(), GROUP, self.hear_messages, self._hub.resync, self._subscribed)
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(hearing), loop.create_task(self._beat())]
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._subscribed.wait()

    async def stop(self) -> None:
        """Hear nothing any more."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def announce(self, *, always: bool = False) -> None:
        """Say what is watched, if that is more than was said before. A layer that is away hears it later."""
        watched = self._hub.watched()
        if always or not watched <= self._announced:
            with suppress(Exception):  # whatever the client library raises; whoever publishes says so in the log
                await get_channel_layer().group_send(WATCHED, announcement(self._name, watched))
                self._announced = watched

    async def _beat(self) -> None:
        while True:
            await self.announce(always=True)
            await asyncio.sleep(BEAT)

    def hear_messages(self, several: Mapping[str, Any]) -> None:
        """Take what one publisher sent at once."""
        for message in several["messages"]:
            self.hear({"publisher": several["publisher"], **message})

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take a message; a hole in its publisher's numbers makes the hub resync."""
        publisher, number = message["publisher"], message["number"]
        due = self._numbers.get(publisher, number if not message["about"] else number - 1)
        self._numbers[publisher] = max(number, due)
        if message["about"]:
            if number > due + 1:
                self._hub.resync()
            if self._hub.wanted(message["about"]):
                self._hub.offer(message["about"], _decode(message["rows"]), message["gone"], message["whole"])
        elif number > due:
            self._hub.resync()


async def hear_all(
    layer: Any,
    group: str,
    hear: Callable[[Mapping[str, Any]], None],
    again: Callable[[], None],
    subscribed: asyncio.Event | None = None,
) -> None:
    """Take every message of a group, for ever; `again` is called when the layer is heard after it was away."""
    channel = None
    reachable = True
    while True:
        try:
            if channel is None:
                channel = await layer.new_channel("lineside")
                await layer.group_add(group, channel)
                if subscribed is not None:
                    subscribed.set()
            message = await layer.receive(channel)
        except Exception as error:
            if reachable:
                log.warning("Live updates cannot be heard: %s", error)
            reachable = False
            await asyncio.sleep(BEAT)
            continue
        if not reachable:
            log.info("Live updates are heard again.")
            again()
        reachable = True
        hear(message)
