"""The relay: takes what was decided from the outbox to the log, once, in order, and says where it stands.

It owns shards of the outbox by leases in the database; a shard is a part of the tasks, so one task's rows are sent
by one relay. How one shard is sent is `shard` and `session`; here the shards are leased, started and woken.

Run as many relays as you like. One that dies is replaced when its leases run out, one that sleeps past its lease
is fenced by the log and by the epoch of its lease.
"""

import asyncio
import logging
import os
import secrets
import socket
import time
from typing import Final

from coordination.eventlog import EventLog
from dashboard.databasethread import DatabaseThread
from dashboard.eventlog import open_eventlog
from dashboard.outages import Outage
from dashboard.outbox import RELAY_SHARDS, wakeup
from dashboard.relay import outcomes
from dashboard.relay.lease import ROLE, Lease
from dashboard.relay.limits import STAGES, Limits, Stage, quiet
from dashboard.relay.shard import ShardRelay
from dashboard.shards import LEASE_SECONDS, Leases

__all__ = ["STAGES", "Limits", "Relay", "Stage", "run"]

logger = logging.getLogger(__name__)
NAMES: Final = [f"{ROLE}:{number}" for number in range(RELAY_SHARDS)]
SECOND: Final = 1_000_000
GRACE: Final = 1.5
"""How long (s) what is under way may take to finish when the relay is stopped."""


async def run(stop: asyncio.Event) -> None:
    """Relay until `stop` is set, on the log of this installation. Ends within three seconds."""
    await Relay(open_eventlog()).run(stop)


class Relay:
    """The relay shards of one process. `worker` is a name nobody ever had, `stage` is told where sessions stand."""

    def __init__(
        self,
        log: EventLog,
        *,
        worker: str = "",
        seconds: float = LEASE_SECONDS,
        limits: Limits | None = None,
        stage: Stage = quiet,
    ) -> None:
        self.limits = limits or Limits()
        self.shards: dict[int, ShardRelay] = {}
        self._log, self._stage = log, stage
        self._leases = Leases(worker or _new_name(), ROLE, seconds=seconds)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._ended = 0
        # Leases must not wait until a shard's transaction has got its locks.
        self._tables, self._lease_tables = DatabaseThread("relay"), DatabaseThread("relay-leases")
        self._outage = Outage(logger, "The database of the relay")
        self._renew_at = 0.0

    @property
    def sent(self) -> int:
        """How many rows of the outbox were published since the start."""
        return self._ended + sum(shard.sent for shard in self.shards.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until `stop` is set."""
        try:
            while not stop.is_set():
                seen = wakeup.version
                try:
                    await self._turn()
                    self._outage.worked()
                except Exception as error:  # the database is away; leases run out by themselves
                    await _stopped(stop, self._outage.failed(error))
                await wakeup.wait(seen, self.limits.look_every)
        finally:
            await self._end()

    async def _turn(self) -> None:
        if time.monotonic() >= self._renew_at:
            await self._renew()
        working = [number for number, task in self._tasks.items() if not task.done()]
        again = int(self.limits.reconsider * SECOND)
        for number in await self._lease_tables.run(outcomes.shards_with_work, working, again):
            self.shards[number].wake()

    async def _renew(self) -> None:
        """Renew and share leases; start what we won, end what we lost."""
        asked = time.monotonic()
        held = await self._lease_tables.run(self._leases.renew, NAMES, {"sent": self.sent})
        until = asked + self._leases.seconds
        self._renew_at = asked + self._leases.every
        numbers = {int(name.partition(":")[2]): epoch for name, epoch in held.items()}
        for number in [number for number in self._tasks if self._is_over(number, numbers.get(number))]:
            await self._drop(number)
        for number, epoch in numbers.items():
            if number in self.shards:
                self.shards[number].lease.until = until
            else:
                self._start(Lease(number, epoch, self._leases.worker, until))

    def _is_over(self, number: int, epoch: int | None) -> bool:
        return self._tasks[number].done() or self.shards[number].lease.epoch != epoch

    def _start(self, lease: Lease) -> None:
        shard = ShardRelay(self._log, lease, self._tables, limits=self.limits, stage=self._stage)
        self.shards[lease.number] = shard
        self._tasks[lease.number] = asyncio.create_task(shard.run(), name=lease.shard)

    async def _drop(self, number: int) -> None:
        shard, task = self.shards.pop(number), self._tasks.pop(number)
        task.cancel()
        await asyncio.wait([task])
        self._ended += shard.sent

    async def _end(self) -> None:
        """Let what is under way finish for a moment, then give the leases back."""
        for shard in self.shards.values():
            shard.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.wait(self._tasks.values())
        try:
            await self._lease_tables.run(self._leases.release)
        except Exception as error:  # they run out by themselves
            self._outage.failed(error)
        await self._tables.close()
        await self._lease_tables.close()


async def _stopped(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until the relay is stopped."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def _new_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
