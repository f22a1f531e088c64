"""The channel layer: whether what one process publishes reaches another."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from channels.layers import get_channel_layer  # type: ignore[import-untyped]
from django.conf import settings

from dashboard.doctor.finding import Finding, doubt, fault, fine

ABOUT: Final = "channel layer"
SECONDS: Final = 10.0
SLOW_MS: Final = 250


def round_trip() -> Iterator[Finding]:
    """A message there and back."""
    yield asyncio.run(_examined())


async def _examined() -> Finding:
    try:
        taken = await asyncio.wait_for(_round_trip(), SECONDS)
    except Exception as error:  # whatever the client library raises for a server that is away, or refuses
        words = f"no message came back within {SECONDS:g} s" if isinstance(error, TimeoutError) else f"{error}"
        remedy = "Start Redis, or correct LINESIDE_CHANNELS; until then pages hear of changes when they are reloaded."
        return fault(ABOUT, words, remedy)
    if settings.LINESIDE_CHANNELS == "memory":
        return fine(ABOUT, "in memory: pages hear what happens in their own process")
    words = f"there and back in {taken:.0f} ms"
    return doubt(ABOUT, words, "Find what keeps Redis busy.") if taken > SLOW_MS else fine(ABOUT, words)


async def _round_trip() -> float:
    layer = get_channel_layer()
    group = f"lineside.doctor.{secrets.token_hex(8)}"
    async for channel in _joined(layer, group):
        began = time.perf_counter()
        await layer.group_send(group, {"type": "doctor"})
        await layer.receive(channel)
        return (time.perf_counter() - began) * 1000
    raise RuntimeError("The channel layer gave no channel.")


async def _joined(layer: Any, group: str) -> AsyncIterator[str]:
    channel = await layer.new_channel("doctor")
    await layer.group_add(group, channel)
    try:
        yield channel
    finally:
        await layer.group_discard(group, channel)
