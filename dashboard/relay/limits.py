"""How long the relay waits for whom, and where it stands: every wait has an end of its own.

An idempotent send waits for ever when the broker is gone, and so may a read. The adapters have limits too; these
hold whatever an adapter does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import msgspec

from coordination.errors import LogUnreachable

T = TypeVar("T")
Stage = Callable[[str], Awaitable[None]]
"""Told where a session stands, by a name of STAGES, before it goes on."""

STAGES: Final = (
    "opened",  # the producer is ours, every former owner is fenced
    "measured",  # the log's ends are known, up to which is read back
    "read back",  # what was tried before was looked for
    "recovered",  # and what was found is marked
    "chosen",  # the next rows to send are known
    "ended",  # where to look for them later is known
    "tried",  # and committed
    "sending",  # the lease was looked at for the last time
    "sent",  # the log has confirmed the transaction
    "verified",  # the records were read back
    "marked",  # and the rows are published
    "told",  # the pages know
)


class Limits(msgspec.Struct, frozen=True):
    """Seconds, but `batch` (rows a transaction)."""

    opening: float = 20.0
    asking: float = 15.0
    sending: float = 20.0
    reading: float = 30.0
    closing: float = 0.7
    look_every: float = 0.25
    idle: float = 60.0
    reconsider: float = 60.0
    batch: int = 50


async def quiet(_: str) -> None:
    """The stage nobody listens to."""


async def within(seconds: float, doing: str, waiting: Awaitable[T]) -> T:
    """Wait so long and no longer. Raises LogUnreachable: what became of it is not known."""
    try:
        async with asyncio.timeout(seconds):
            return await waiting
    except TimeoutError as error:
        raise LogUnreachable(f"The log did not {doing} within {seconds:g} s.") from error
