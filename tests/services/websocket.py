"""A WebSocket client for tests and measurements: text messages over asyncio streams, nothing else (RFC 6455)."""

import asyncio
import base64
import os
import secrets
from types import TracebackType
from typing import Self

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Closed(ConnectionError):
    """The server closed the socket; `code` says why (1006: without a word)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with code {code}")
        self.code = code


class WebSocket:
    """`async with WebSocket(host, port, path, cookie=…) as socket: await socket.send(…); await socket.receive()`."""

    def __init__(self, host: str, port: int, path: str, *, cookie: str = "", origin: str | None = None) -> None:
        self._host, self._port, self._path, self._cookie = host, port, path, cookie
        self._origin = origin or f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = (
            f"GET {self._path} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            f"Origin: {self._origin}",
            f"Cookie: {self._cookie}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        )
        self._writer.write("\r\n".join((*lines, "", "")).encode())
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        if " 101 " not in answer.splitlines()[0]:
            self._writer.close()
            raise ConnectionRefusedError(answer.splitlines()[0])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    async def send(self, text: str) -> None:
        """Send one text message."""
        self._write(TEXT, text.encode())
        await self._writer.drain()

    async def receive(self) -> str:
        """The next text message. Raises Closed."""
        parts = b""
        while True:
            final, kind, payload = await self._frame()
            if kind == PING:
                self._write(PONG, payload)
            elif kind == CLOSE:
                raise Closed(int.from_bytes(payload[:2], "big") or 1005)
            elif kind in (TEXT, 0):
                parts += payload
                if final:
                    return parts.decode()

    def _write(self, kind: int, payload: bytes) -> None:
        size, mask = len(payload), os.urandom(4)
        head = bytes([0x80 | kind])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65_536:
            head += bytes([0x80 | 126]) + size.to_bytes(2, "big")
        else:
            head += bytes([0x80 | 127]) + size.to_bytes(8, "big")
        masked = bytes(byte ^ mask[number % 4] for number, byte in enumerate(payload))
        self._writer.write(head + mask + masked)

    async def _frame(self) -> tuple[bool, int, bytes]:
        try:
            first, second = await self._reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                size = int.from_bytes(await self._reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self._reader.readexactly(8), "big")
            return bool(first & 0x80), first & 0x0F, await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Closed(1006) from error
