"""Notifications: people are told that something waits for them, by e-mail or by a webhook; links never decide.

`plan` makes one notice for each person and webhook when a request comes, is nearly due, is handed up or has expired;
`schedule` says when it may go out; `sending` sends what is due, tries again, and gives up in words. Browsers tell by
themselves (static/js/notify.js).
"""

import asyncio
import logging
import os
import secrets
import socket
from contextlib import suppress
from typing import Final

from dashboard.databasethread import DatabaseThread, drop_connection
from dashboard.notify.planning import plan
from dashboard.notify.sending import send_due
from dashboard.outages import Outage
from dashboard.shards import Leases

logger = logging.getLogger(__name__)
ROLE: Final = "notify"
SHARD: Final = f"{ROLE}:0"
EVERY: Final = 1.0


async def run(stop: asyncio.Event) -> None:
    """Plan and send until `stop` is set; one process at a time, by a lease."""
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    tables, leases = DatabaseThread("notify"), Leases(name, ROLE)
    outage = Outage(logger, "Telling people")
    try:
        while not stop.is_set():
            pause = EVERY
            try:
                await tables.run(_turn, leases)
                outage.worked()
            except Exception as error:  # the database is away: nothing is lost, notices wait in it
                await tables.run(drop_connection)
                pause = max(EVERY, outage.failed(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
    finally:
        with suppress(Exception):  # the lease runs out by itself
            await tables.run(leases.release)
        await tables.close()


def _turn(leases: Leases) -> None:
    if SHARD in leases.renew([SHARD]):
        plan()
        send_due()
