"""Upkeep: what has to be done every now and then and belongs to nobody else.

Every page hears how fresh it is, even while nothing happens; small batches of stored records are packed; the audit
trail is anchored on the log; the embedded log lets old records go.
"""

import asyncio
import time
from contextlib import suppress
from typing import Final

from coordination.errors import CoordinationError
from coordination.sqlitelog import SqliteLog
from dashboard import live
from dashboard.anchoring import Anchoring
from dashboard.api.health import health_row
from dashboard.databasethread import DatabaseThread
from dashboard.eventlog import open_eventlog
from dashboard.packing import Packing

BEAT: Final = 2.0
PACK_EVERY: Final = 20.0
MAINTAIN_EVERY: Final = 60.0
ANCHOR_EVERY: Final = 30.0


async def run(stop: asyncio.Event) -> None:
    """Until `stop`: tell the health every two seconds, pack and maintain from time to time."""
    database, packing, anchoring = DatabaseThread("upkeep"), Packing(), Anchoring()
    packed = maintained = anchored = time.monotonic()
    try:
        while not stop.is_set():
            if live.wanted("health"):
                live.publish("health", [await database.run(health_row)])
            if time.monotonic() - packed >= PACK_EVERY:
                packed = time.monotonic()
                await database.run(packing.pack)
            if time.monotonic() - anchored >= ANCHOR_EVERY:
                anchored = time.monotonic()
                # Without the log there is nothing to anchor on; the next time will do.
                with suppress(CoordinationError):
                    await anchoring.run(database)
            if time.monotonic() - maintained >= MAINTAIN_EVERY:
                maintained = time.monotonic()
                await _maintain()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BEAT)
    finally:
        await database.close()


async def _maintain() -> None:
    event_log = open_eventlog()
    if isinstance(event_log, SqliteLog):
        await event_log.maintain(time.time_ns() // 1_000_000)
