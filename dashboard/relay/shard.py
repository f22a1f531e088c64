"""One relay shard: sessions one after the other, as long as its lease is ours.

Whatever goes wrong ends the session and is told on the rows that wait; the next session begins with finding out.
- out of reach, or an outcome that is not known: again after a pause that grows to five seconds;
- refused for good (no right, no topic, too large): sent one by one until the culprit is known, which then says so,
  while all others go on; it is tried again every minute, in case somebody grants the right;
- read-back impossible, because the log was truncated: the shard stands still and says so (approvals.md, rule 4);
- fenced, or the lease is lost: somebody else owns the shard. Nothing is written, the shard is left.
"""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Final

from coordination.errors import (
    CoordinationError,
    LogDenied,
    LogUnreachable,
    MemberFenced,
    RecordTooLarge,
    UnknownTopic,
)
from coordination.eventlog import EventLog
from dashboard.databasethread import DatabaseThread
from dashboard.outages import Outage
from dashboard.relay import outcomes
from dashboard.relay.lease import Lease, LeaseLost
from dashboard.relay.limits import Limits, Stage
from dashboard.relay.readback import Truncated
from dashboard.relay.session import Missing, Refused, Session

logger = logging.getLogger(__name__)
NAMES: Final = {"kafka": "Kafka", "sqlite": "The log", "memory": "The log", "http": "The log's server"}
SECOND: Final = 1_000_000


REASONS: Final = {
    LogDenied: "no write right on the topic",
    UnknownTopic: "the topic is missing",
    RecordTooLarge: "the record is too large",
}


class ShardRelay:
    """Sends what one relay shard has to send. `wake` it when there may be something."""

    def __init__(self, log: EventLog, lease: Lease, tables: DatabaseThread, *, limits: Limits, stage: Stage) -> None:
        self.lease = lease
        self._sent = 0
        self._log, self._tables, self._limits, self._stage = log, tables, limits, stage
        self._wakeup = asyncio.Event()
        self._stopping = False
        self._session: Session | None = None
        self._outage = Outage(logger, f"Sending decisions of {lease.shard}")
        self._since: datetime | None = None
        self._singly = 0

    @property
    def sent(self) -> int:
        """How many rows were published since the start."""
        return self._sent + (self._session.sent if self._session else 0)

    def wake(self) -> None:
        """There may be something to send."""
        self._wakeup.set()

    def stop(self) -> None:
        """End after what is under way."""
        self._stopping = True
        self._wakeup.set()

    async def run(self) -> None:
        """Until stopped or until the lease is lost."""
        try:
            while not self._stopping:
                try:
                    await self._work()
                except (LeaseLost, MemberFenced) as error:
                    await self._leave(error)
                    return
                except Exception as error:  # whatever it is, the other rows must go on
                    await self._trouble(error)
        finally:
            await self._end_session()

    async def _work(self) -> None:
        """Wait to be woken, then send until nothing is left."""
        await self._woken()
        again = await self._tables.run(
            outcomes.reconsider, self.lease, self.lease.number, int(self._limits.reconsider * SECOND)
        )
        if again:
            await self._end_session()
        session = self._session or await self._new_session()
        while not self._stopping and await session.send():
            self._singly = max(0, self._singly - 1)
            session.batch = 1 if self._singly else self._limits.batch
        self._outage.worked()
        self._since = None

    async def _woken(self) -> None:
        """Wait; a session that was idle for long is closed, since a producer is a connection."""
        try:
            async with asyncio.timeout(self._limits.idle):
                await self._wakeup.wait()
        except TimeoutError:
            await self._end_session()
            await self._wakeup.wait()
        self._wakeup.clear()

    async def _new_session(self) -> Session:
        batch = 1 if self._singly else self._limits.batch
        self._session = Session(
            self._log, self.lease, self._tables, limits=self._limits, stage=self._stage, batch=batch
        )
        await self._session.open()
        return self._session

    async def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._sent += session.sent
            await session.close()

    async def _leave(self, error: CoordinationError) -> None:
        logger.warning("%s is left to another relay: %s", self.lease.shard, error)
        if isinstance(error, MemberFenced):
            await self._tables.run(self.lease.drop)

    async def _trouble(self, error: Exception) -> None:
        """End the session and tell the rows that wait; what is written here may fail too, and is tried again."""
        await self._end_session()
        pause = 0.0
        try:
            if isinstance(error, Refused):
                await self._refused(error)
            else:
                pause = self._outage.failed(error)
                await self._explain(error)
        except (LeaseLost, MemberFenced):
            self._stopping = True
        except Exception as further:  # the database is away as well
            pause = self._outage.failed(further)
        if not isinstance(error, CoordinationError):
            logger.error("Sending decisions of %s failed", self.lease.shard, exc_info=error)
        await self._pause(pause)
        self._wakeup.set()

    async def _refused(self, error: Refused) -> None:
        if len(error.rows) > 1 and not isinstance(error, Missing):
            self._singly = len(error.rows)
            return
        for row in error.rows:
            await self._tables.run(outcomes.give_up, self.lease, row.decision_id, f"{_why(error)}. {error}")

    async def _explain(self, error: Exception) -> None:
        self._since = self._since or datetime.now(UTC)
        if isinstance(error, Truncated):
            await self._tables.run(outcomes.give_up_unknown, self.lease, self.lease.number, str(error))
        words = str(error)
        if isinstance(error, LogUnreachable):
            words = f"{NAMES[self._log.kind]} unreachable since {self._since:%Y-%m-%dT%H:%M:%SZ}."
        elif not isinstance(error, CoordinationError):
            words = f"an error of the relay since {self._since:%Y-%m-%dT%H:%M:%SZ}: {type(error).__name__}."
        await self._tables.run(outcomes.give_up_late, self.lease, self.lease.number, untried=True)
        await self._tables.run(outcomes.explain, self.lease, self.lease.number, words)

    async def _pause(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        while not self._stopping and (left := until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, 0.1))


def _why(error: Refused) -> str:
    """The refusal in the reviewer's words; the log's own follow."""
    return next((words for kind, words in REASONS.items() if isinstance(error.reason, kind)), "the log refuses it")
