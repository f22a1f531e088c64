"""Upkeep: what has to be done every minute or so and belongs to nobody else.

The embedded log lets old records go, and every page hears how fresh it is even while nothing happens.
"""

import asyncio
import time
from contextlib import suppress
from typing import Final

from asgiref.sync import sync_to_async

from coordination.sqlitelog import SqliteLog
from dashboard import live
from dashboard.api.health import health_row
from dashboard.eventlog import open_eventlog

BEAT: Final = 2.0
MAINTAIN_EVERY: Final = 60.0


async def run(stop: asyncio.Event) -> None:
    """Until `stop`: tell the health every two seconds, maintain the embedded log every minute."""
    maintained = time.monotonic()
    while not stop.is_set():
        if live.wanted("health"):
            live.publish("health", [await sync_to_async(health_row)()])
        if time.monotonic() - maintained >= MAINTAIN_EVERY:
            maintained = time.monotonic()
            await _maintain()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), BEAT)


async def _maintain() -> None:
    event_log = open_eventlog()
    if isinstance(event_log, SqliteLog):
        await event_log.maintain(time.time_ns() // 1_000_000)
