"""Between processes: publishers number their messages, listeners notice when one is missing.

The channel layer is publish/subscribe and drops silently: when a subscriber is slow, when Redis restarts. So each
publisher says once a second which number it has reached, and a listener that finds a hole tells its hub to resync.
"""

import asyncio
import logging
import queue
import secrets
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from channels.layers import get_channel_layer  # type: ignore[import-untyped]

from dashboard.live.hub import Hub
from dashboard.live.watch import Row

log = logging.getLogger(__name__)
GROUP: Final = "lineside.live"
BEAT: Final = 1.0
WAITING: Final = 2_000
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


class Publisher:
    """Sends from a thread of its own, so that whoever publishes never waits for Redis."""

    def __init__(self) -> None:
        self._name = secrets.token_hex(8)
        self._number = 0
        self._queue: queue.Queue[Mapping[str, Any] | None] = queue.Queue(WAITING)
        self._lock = threading.Lock()
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
        loop = asyncio.get_running_loop()
        while True:
            try:
                message = await loop.run_in_executor(None, self._queue.get, True, BEAT)
            except queue.Empty:
                message = {"number": self._number, "about": ""}
            if message is None:
                return
            try:
                await layer.group_send(GROUP, {"type": "live", "publisher": self._name, **message})
            except Exception as error:  # whatever the client library raises for a server that is away
                if reachable:
                    log.warning("Live updates cannot be sent: %s. Pages will ask again by themselves.", error)
                reachable = False
            else:
                if not reachable:
                    log.info("Live updates are sent again.")
                reachable = True


class Listener:
    """Feeds a hub from the channel layer. Belongs to the event loop of the hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._numbers: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Subscribe, once; returns when what is published from now on will be heard."""
        if self._task is None:
            layer = get_channel_layer()
            channel = await layer.new_channel("lineside")
            await layer.group_add(GROUP, channel)
            self._task = asyncio.get_running_loop().create_task(self._listen(layer, channel))

    async def stop(self) -> None:
        """Hear nothing any more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen(self, layer: Any, channel: str) -> None:
        reachable = True
        while True:
            try:
                message = await layer.receive(channel)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                if reachable:
                    log.warning("Live updates cannot be heard: %s", error)
                reachable = False
                await asyncio.sleep(BEAT)
                continue
            if not reachable:
                log.info("Live updates are heard again.")
                self._hub.resync()
            reachable = True
            self.hear(message)

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
