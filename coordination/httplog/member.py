"""The Membership over HTTP. The server keeps the member in the log's group; positions are kept here."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from coordination.errors import LogUnreachable, MemberFenced
from coordination.eventlog import Appended, NewRecord, Record, TopicPartition, check_records
from coordination.httplog.connection import Connection
from coordination.httplog.size import check_size
from coordination.logmember import MAX_POLL_INTERVAL
from coordination.logmessages import (
    MAX_WAIT,
    Commit,
    Done,
    Heartbeat,
    Leave,
    Placed,
    Poll,
    Polled,
    from_positions,
    to_positions,
)


class HttpMember:
    """See `Membership`. Use it on the event loop it was made on."""

    def __init__(self, connection: Connection, group: str, member_id: str, session_timeout: float) -> None:
        self.group = group
        self.member_id = member_id
        self._connection = connection
        self._positions: dict[TopicPartition, int] = {}
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._paused: set[TopicPartition] = set()
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._polled_at = self._loop.time()
        self._beats = self._loop.create_task(self._beat(session_timeout / 3))

    async def poll(self, max_records: int, timeout: float) -> Sequence[Record]:
        """See `Membership.poll`."""
        deadline = self._loop.time() + timeout
        while True:
            self._refuse_when_closed()
            self._polled_at = self._loop.time()
            left = max(0.0, deadline - self._loop.time())
            records = await self._ask(max_records, min(left, MAX_WAIT))
            if records or self._loop.time() >= deadline:
                return records

    def assignment(self) -> frozenset[TopicPartition]:
        """See `Membership.assignment`."""
        return self._assigned

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """See `Membership.pause`."""
        self._paused.update(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """See `Membership.resume`."""
        self._paused.difference_update(partitions)

    async def commit(self, offsets: Mapping[TopicPartition, int], records: Sequence[NewRecord] = ()) -> list[Appended]:
        """See `Membership.commit`."""
        self._refuse_when_closed()
        check_records(records)
        check_size(records)
        question = Commit(self.member_id, to_positions(offsets), list(records))
        return (await self._connection.ask("commit", question, Placed)).appended

    async def close(self) -> None:
        """See `Membership.close`. Closing twice, or after having been fenced, is no error."""
        if self._closed:
            return
        self._closed = True
        self._assigned = frozenset()
        self._beats.cancel()
        await asyncio.gather(self._beats, return_exceptions=True)
        # Where the server cannot be told, silence tells it.
        with contextlib.suppress(LogUnreachable):
            await self._connection.ask("leave", Leave(self.member_id), Done)

    async def _ask(self, max_records: int, waits: float) -> Sequence[Record]:
        question = Poll(self.member_id, to_positions(self._positions), sorted(self._paused), max_records, waits)
        polled = await self._connection.ask("poll", question, Polled, waits=waits)
        self._assigned = frozenset(polled.assignment)
        # Positions move to the end in the order of turns; those of paused partitions are kept, of lost ones not.
        known = self._positions | from_positions(polled.positions)
        self._positions = {p: at for p, at in known.items() if p in self._assigned}
        self._paused.intersection_update(self._assigned)
        return polled.records

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise MemberFenced(f"{self.member_id} has left group {self.group}. Join anew.")

    async def _beat(self, every: float) -> None:
        while self._loop.time() - self._polled_at < MAX_POLL_INTERVAL:
            await asyncio.sleep(every)
            try:
                await self._connection.ask("heartbeat", Heartbeat(self.member_id), Done)
            except MemberFenced:
                return
            except LogUnreachable:
                continue
