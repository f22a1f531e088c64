"""One question, one answer: HTTP calls to the dashboard's log, and its refusals as our own errors."""

import asyncio
import contextlib
from typing import Any, Final, TypeVar

import httpx
import msgspec

from coordination.errors import (
    CoordinationError,
    LogDenied,
    LogUnreachable,
    MemberFenced,
    OffsetOutOfRange,
    RecordTooLarge,
    UnknownTopic,
)
from coordination.logmessages import MEDIA_TYPE

Answer = TypeVar("Answer")

PATIENCE: Final = 10.0
"""Seconds to wait for an answer, beyond what the question itself asks the server to wait."""
RETRY_EVERY: Final = 0.2
AT_ONCE: Final = 8
"""Questions under way at the same time, besides those that wait for records."""

_encode = msgspec.msgpack.Encoder().encode
_KINDS: Final[dict[str, type[CoordinationError]]] = {
    kind.code: kind
    for kind in (LogDenied, LogUnreachable, MemberFenced, OffsetOutOfRange, RecordTooLarge, UnknownTopic)
}


class _Problem(msgspec.Struct):
    detail: str = ""
    error: str = ""
    code: str = ""


class Connection:
    """A connection pool to one dashboard, for one event loop.

    While the dashboard refuses connections, questions are put again for `PATIENCE` seconds: they have not left
    yet. One that has left is never repeated, since it may have had its effect: LogUnreachable.
    """

    def __init__(self, base_url: str, token: str) -> None:
        self._url = base_url.rstrip("/") + "/api/v1/log/"
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}", "Content-Type": MEDIA_TYPE},
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=AT_ONCE),
        )
        # Who waits here costs nothing; httpx goes through all who wait in its pool at every answer.
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._closed = False

    async def ask(self, call: str, question: object, answer: type[Answer], *, waits: float = 0.0) -> Answer:
        """Put a question whose answer may take `waits` seconds longer. Raises what the log raised there."""
        async with contextlib.nullcontext() if waits else self._turn:
            response = await self._post(call, _encode(question), waits)
        if response.status_code != httpx.codes.OK:
            raise _refusal(response)
        try:
            return msgspec.msgpack.decode(response.content, type=answer)
        except msgspec.MsgspecError as error:
            raise LogUnreachable(f"{self._url}{call} answered what is no answer to it: {error}.") from error

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        await self._client.aclose()

    async def _post(self, call: str, body: bytes, waits: float) -> httpx.Response:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        timeout = httpx.Timeout(PATIENCE + waits)
        while not self._closed:
            try:
                return await self._client.post(self._url + call, content=body, timeout=timeout)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if loop.time() > deadline:
                    raise LogUnreachable(f"{self._url} cannot be reached: {error}.") from error
                await asyncio.sleep(RETRY_EVERY)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise LogUnreachable(f"{self._url}{call} did not answer: {_words(error)}.") from error
        raise LogUnreachable(f"The log {self._url} was closed.", retryable=False)


def _refusal(response: httpx.Response) -> CoordinationError:
    try:
        problem = msgspec.json.decode(response.content, type=_Problem)
    except msgspec.MsgspecError:
        problem = _Problem()
    detail = problem.detail or f"HTTP status {response.status_code}"
    if problem.error in _KINDS:
        return _KINDS[problem.error](detail, code=problem.code or None)
    if httpx.codes.is_server_error(response.status_code):
        return LogUnreachable(f"The dashboard failed: {detail}.")
    return LogDenied(f"The dashboard refused: {detail}", code=problem.code or None)


def _words(error: Any) -> str:
    return str(error) or type(error).__name__
