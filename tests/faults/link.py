"""A network link between processes of a test: a TCP proxy that can be made slow, silent, or cut."""

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

SIZE = 1 << 16


class Link:
    """Passes bytes to a port of this machine; its own is `port`. Use it as a context manager.

    `delay` (s) holds back what the client sends, as a slow network or a slow server would. `silent` holds everything,
    with connections open. `cut` ends connections and refuses new ones.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._going: asyncio.Event
        self._server: asyncio.Server
        self._refusing = False
        self.delay = 0.0
        self.port = 0

    def slow(self, seconds: float) -> None:
        """Hold back each piece that a client sends for so long."""
        self.delay = seconds

    def silent(self) -> None:
        """Nothing passes any more, in both directions."""
        self._call(self._going.clear)

    def cut(self) -> None:
        """End all connections; new ones are ended at once."""
        self._refusing = True
        self._call(self._drop)

    def heal(self) -> None:
        """Pass everything again, at once."""
        self.delay, self._refusing = 0.0, False
        self._call(self._going.set)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _call(self, doing: object) -> None:
        self._loop.call_soon_threadsafe(doing)  # type: ignore[arg-type]

    async def _open(self) -> None:
        self._going = asyncio.Event()
        self._going.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        self._going.set()
        self._drop()
        passing = asyncio.all_tasks() - {asyncio.current_task()}
        if passing:
            await asyncio.wait(passing, timeout=5)

    def _drop(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = None
        if not self._refusing:
            with suppress(OSError):
                far = await asyncio.open_connection("127.0.0.1", self._target)
        if far is None:
            writer.transport.abort()
            return
        ends = {writer, far[1]}
        self._writers |= ends
        try:
            await asyncio.gather(self._pass(reader, far[1], near=True), self._pass(far[0], writer, near=False))
        finally:
            self._writers -= ends

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, near: bool) -> None:
        with suppress(OSError):
            while piece := await source.read(SIZE):
                if near and self.delay:
                    await asyncio.sleep(self.delay)
                await self._going.wait()
                target.write(piece)
                await target.drain()
        target.transport.abort()
