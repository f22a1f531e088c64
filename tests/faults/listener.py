"""Somebody who has the board open and hears its changes, as a browser does, and notes when."""

import asyncio
import json
import threading
import time
from itertools import pairwise

from tests.installation import Site
from tests.services.websocket import WebSocket
from tests.signedin import signed_in_client


class Listener:
    """Listens from a thread of its own until it is left; `heard` are the instants (monotonic) of messages."""

    def __init__(self, site: Site) -> None:
        self.heard: list[float] = []
        self._site = site
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def silence(self, since: float) -> float:
        """The longest time (s) without a message since an instant, until now."""
        instants = [since, *(at for at in self.heard if at > since), time.monotonic()]
        return max(after - before for before, after in pairwise(instants))

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        self._thread.join(30)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._listen())
        except BaseException as error:
            self._error = error

    async def _listen(self) -> None:
        client = signed_in_client(self._site.address)
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        client.close()
        host, port = self._site.address.removeprefix("http://").split(":")
        async with WebSocket(host, int(port), "/ws/live", cookie=cookie) as socket:
            await socket.send(json.dumps({"watch": ["board"]}))
            while not self._stop.is_set():
                try:
                    message = json.loads(await asyncio.wait_for(socket.receive(), 0.5))
                except TimeoutError:
                    continue
                self.heard.append(time.monotonic())
                if "to" in message:
                    await socket.send(json.dumps({"ack": message["to"]}))
