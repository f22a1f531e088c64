"""The sweeper: what happens by itself, because time has passed or a fact was read.

Every half second: take up new requests and new versions, withdraw what nobody needs, fire timers, carry over what
agents answered, look for decisions we did not send, follow what was redriven; every ten seconds the same for what is
older. Every act is a transaction of its own on one locked approval and counts once, so two sweepers would do no
harm; a lease keeps them from doing everything twice.
"""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import Final

from django.db import Error

from dashboard import alerts
from dashboard.alerts.incidents import wake
from dashboard.clock import database_now
from dashboard.databasethread import DatabaseThread, drop_connection
from dashboard.outages import Outage
from dashboard.redrive.following import Following
from dashboard.shards import LEASE_SECONDS, Leases
from dashboard.sweep.adoption import adopt_ended, adopt_new
from dashboard.sweep.answers import OldAnswers, learn_new
from dashboard.sweep.blocking import Blocking
from dashboard.sweep.foreign import Watch, look_at_pending
from dashboard.sweep.freshness import ingest_fresh
from dashboard.sweep.rules import Rules
from dashboard.sweep.timers import take_due
from dashboard.sweep.withdrawals import withdraw_dead

__all__ = ["Sweeper", "run"]

logger = logging.getLogger(__name__)
ROLE: Final = "sweep"
SHARD: Final = f"{ROLE}:0"
EVERY: Final = 0.5
SELDOM: Final = 20
"""What walks over everything is done once in so many turns."""
Part = Callable[[], int]


async def run(stop: asyncio.Event) -> None:
    """Sweep until `stop` is set."""
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    await Sweeper(name).run(stop)


class Sweeper:
    """One sweeper; `worker` is a name nobody ever had. It sweeps while it holds the lease, `every` seconds."""

    def __init__(self, worker: str, *, seconds: float = LEASE_SECONDS, every: float = EVERY) -> None:
        self.figures: dict[str, int] = {}
        self._leases = Leases(worker, ROLE, seconds=seconds)
        self._every = every
        self._old_answers, self._watch, self._blocking = OldAnswers(), Watch(), Blocking()
        self._rules, self._redriven = Rules(), Following(ingest_fresh)
        self._turns = 0
        self._until = self._renew_at = 0.0
        self._outages: dict[str, Outage] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop` is set; ends after the act that is under way."""
        tables = DatabaseThread("sweep")
        try:
            while not stop.is_set():
                await tables.run(self.turn)
                try:
                    async with asyncio.timeout(self._every):
                        await stop.wait()
                except TimeoutError:
                    continue
        finally:
            await tables.run(self._attempt, "leave", self._release)
            await tables.close()

    def turn(self) -> None:
        """One round, in the database thread; a part that fails is told once and does not keep the others."""
        if time.monotonic() >= self._renew_at:
            self._attempt("renew", self._renew)
        parts = self._parts()
        if self._turns % SELDOM == 0:
            parts |= self._seldom()
        self._turns += 1
        for name, part in parts.items():
            if time.monotonic() < self._until:
                self.figures[name] = self.figures.get(name, 0) + self._attempt(name, part)

    def _parts(self) -> dict[str, Part]:
        return {
            "adopted": adopt_new,
            "withdrawn": withdraw_dead,
            "rules": lambda: self._rules.apply(fresh=ingest_fresh(database_now())),
            "timers": lambda: take_due(fresh=ingest_fresh(database_now())),
            "answered": learn_new,
            "foreign": look_at_pending,
            "redriven": self._redriven.look,
            "told": alerts.call_due,
        }

    def _seldom(self) -> dict[str, Part]:
        return {
            "adopted ended": adopt_ended,
            "alerts": alerts.look,
            "woken": wake,
            "answered late": self._old_answers.learn,
            "foreign among all": self._watch.look,
            "blocking": self._blocking.count,
        }

    def _attempt(self, name: str, part: Part) -> int:
        outage = self._outages.setdefault(name, Outage(logger, f"The sweeper's part {name!r}"))
        try:
            done = part()
        except Exception as error:  # whatever it is, the other parts must go on
            if not outage.failures:
                logger.exception("The sweeper's part %r failed", name)
            outage.failed(error)
            if isinstance(error, Error):
                drop_connection()
            return 0
        outage.worked()
        return done

    def _renew(self) -> int:
        asked = time.monotonic()
        held = self._leases.renew([SHARD], self.figures)
        self._renew_at = asked + self._leases.every
        self._until = asked + self._leases.seconds if SHARD in held else 0.0
        return len(held)

    def _release(self) -> int:
        self._leases.release()
        return 0
