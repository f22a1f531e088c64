"""Members of consumer groups on our own logs (memory, SQLite).

What a member may do is decided by groupstate, inside the log's own transaction; here is its life: heartbeats,
polling the partitions it owns, and noticing when they change.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from coordination.errors import LogUnreachable, MemberFenced
from coordination.eventlog import Appended, NewRecord, Record, TopicPartition
from coordination.logreader import LogReader, Source

MAX_POLL_INTERVAL: Final = 300.0
"""Seconds without a poll after which a member stops its heartbeats, as Kafka's `max.poll.interval.ms`."""


class GroupHome(Protocol):
    """The log that keeps the group of a member."""

    @property
    def source(self) -> Source: ...

    def group_revision(self, group: str) -> int:
        """A number that grows whenever members, their partitions or the topics of the log change."""
        ...

    async def visit(self, group: str, member_id: str, polls: bool) -> frozenset[TopicPartition]:
        """Renew the lease, expel silent members and, if it `polls`, hand over. Raises MemberFenced."""
        ...

    async def commit_as(
        self, group: str, member_id: str, offsets: Mapping[TopicPartition, int], records: Sequence[NewRecord]
    ) -> list[Appended]:
        """Commit and append in one transaction. Raises MemberFenced."""
        ...

    async def leave(self, group: str, member_id: str) -> None: ...

    async def commits(self, group: str) -> dict[TopicPartition, int]: ...


class LeasedMember:
    """A Membership whose lease is kept by the log. Use it on the event loop it was made on."""

    def __init__(self, home: GroupHome, group: str, member_id: str, session_timeout: float) -> None:
        self.group = group
        self.member_id = member_id
        self._home = home
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._paused: set[TopicPartition] = set()
        self._reader = LogReader(home.source, {}, resets=True)
        self._revision = -1
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._polled_at = self._loop.time()
        self._beats = self._loop.create_task(self._beat(session_timeout / 3))

    async def poll(self, max_records: int, timeout: float) -> Sequence[Record]:
        """See `Membership.poll`."""
        deadline = self._loop.time() + timeout
        while True:
            self._polled_at = self._loop.time()
            seen = self._reader.mark()
            records = await self._take(max_records)
            left = deadline - self._loop.time()
            if records or left <= 0:
                return records
            await self._reader.wait(seen, left)

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
        return await self._home.commit_as(self.group, self.member_id, offsets, records)

    async def close(self) -> None:
        """See `Membership.close`. Closing twice, or after having been fenced, is no error."""
        if self._closed:
            return
        self._closed = True
        self._assigned = frozenset()
        self._beats.cancel()
        await asyncio.gather(self._beats, return_exceptions=True)
        # Where the log cannot be told, the lease tells it.
        with contextlib.suppress(LogUnreachable):
            await self._home.leave(self.group, self.member_id)

    async def _take(self, max_records: int) -> list[Record]:
        self._refuse_when_closed()
        if self._home.group_revision(self.group) != self._revision:
            await self._settle()
        return self._reader.take(max_records, self._paused)

    async def _settle(self) -> None:
        # Read before the visit: a change made meanwhile, by the visit itself too, means settling once more.
        self._revision = self._home.group_revision(self.group)
        assigned = await self._home.visit(self.group, self.member_id, polls=True)
        committed = await self._home.commits(self.group)
        self._reader.assign({partition: committed.get(partition, 0) for partition in assigned})
        self._assigned = assigned
        self._paused.intersection_update(assigned)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise MemberFenced(f"{self.member_id} has left group {self.group}. Join anew.")

    async def _beat(self, every: float) -> None:
        while self._loop.time() - self._polled_at < MAX_POLL_INTERVAL:
            await asyncio.sleep(every)
            try:
                await self._home.visit(self.group, self.member_id, polls=False)
            except MemberFenced:
                return
            except LogUnreachable:
                # The next beat tries again; if the log stays away too long, the lease ends as it must.
                continue
