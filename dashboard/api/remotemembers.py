"""Members of consumer groups that live elsewhere: the dashboard holds their place in the log's groups.

A remote member that sends neither heartbeat nor poll nor commit for its session time-out is taken out of its
group. After a restart of the dashboard nobody is known here any more; members are told that they are fenced,
join anew and continue from the committed positions.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from coordination.errors import CoordinationError, MemberFenced, OffsetOutOfRange, UnknownTopic
from coordination.eventlog import Appended, EventLog, Membership, NewRecord, Reader, Record, TopicPartition

SLICE: Final = 0.25
"""Seconds after which a waiting poll looks whether partitions move."""


PAUSE: Final = 0.05


class RemoteMember:
    """One of them. Its positions are kept by itself; the reader here only saves opening one at every poll."""

    def __init__(self, log: EventLog, member: Membership, session_timeout: float) -> None:
        self.member = member
        self.session_timeout = session_timeout
        self.lock = asyncio.Lock()
        self.seen_at = asyncio.get_running_loop().time()
        self._log = log
        self._reader: Reader | None = None

    def touch(self) -> None:
        """It showed that it lives."""
        self.seen_at = asyncio.get_running_loop().time()

    async def poll(
        self, known: Mapping[TopicPartition, int], paused: Sequence[TopicPartition], max_records: int, timeout: float
    ) -> tuple[Sequence[Record], Mapping[TopicPartition, int]]:
        """Records after the known positions, or nothing when time is up or partitions moved."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        before = self.member.assignment()
        while True:
            self.touch()
            await self._settle()
            assigned = self.member.assignment()
            wanted = {p: known.get(p) for p in sorted(assigned) if p not in paused}
            left = deadline - loop.time()
            try:
                reader = await self._reading(wanted)
                records = await reader.read(max_records, max(0.0, min(left, SLICE)))
                known = dict(known) | dict(reader.positions())
            except OffsetOutOfRange:
                # Truncated meanwhile: as every consumer group, from the beginning of what is kept.
                known, records = await self._within(known), []
                await self.forget()
            except UnknownTopic:
                # Deleted meanwhile, perhaps created anew: from the committed positions, which went with it.
                known, records = {}, []
                await self.forget()
                await asyncio.sleep(min(left, PAUSE) if left > 0 else 0)
            if records or assigned != before or left <= 0:
                return records, {p: known[p] for p in wanted if p in known}

    async def forget(self) -> None:
        """Open the reader anew next time."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()

    async def close(self) -> None:
        """Leave the group."""
        await self.forget()
        await self.member.close()

    async def _settle(self) -> None:
        # Nothing is read through the membership itself, whose own positions would run ahead of the member's.
        self.member.pause(sorted(self.member.assignment()))
        await self.member.poll(1, 0.0)

    async def _reading(self, wanted: Mapping[TopicPartition, int | None]) -> Reader:
        if self._reader is not None and self._reader.positions() == wanted:
            return self._reader
        await self.forget()
        positions = {partition: offset for partition, offset in wanted.items() if offset is not None}
        if len(positions) < len(wanted):
            committed = await self._log.commits(self.member.group)
            missing = {p: committed.get(p, 0) for p in wanted if p not in positions}
            positions |= await self._within(missing)
        self._reader = await self._log.reader(positions)
        return self._reader

    async def _within(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        ends = await self._log.ends(list(positions))
        return {
            p: offset if ends[p].begin <= offset <= ends[p].high else ends[p].begin
            for p, offset in positions.items()
            if p in ends
        }


class RemoteMembers:
    """All remote members of this process, by member id. For one event loop."""

    def __init__(self) -> None:
        self._members: dict[str, RemoteMember] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def add(self, log: EventLog, member: Membership, session_timeout: float) -> None:
        """A member that just joined."""
        remote = self._members[member.member_id] = RemoteMember(log, member, session_timeout)
        self._watch(member.member_id, remote)

    def find(self, member_id: str) -> RemoteMember:
        """A member that lives; finding it is a sign of life. Raises MemberFenced."""
        remote = self._members.get(member_id)
        if remote is None:
            raise MemberFenced(f"{member_id} is not a member any more: it was silent for too long. Join anew.")
        remote.touch()
        return remote

    async def commit(
        self, member_id: str, offsets: Mapping[TopicPartition, int], records: Sequence[NewRecord]
    ) -> list[Appended]:
        """See `Membership.commit`."""
        return await self.find(member_id).member.commit(offsets, records)

    async def leave(self, member_id: str) -> None:
        """A member leaves; one that is gone already is no error."""
        remote = self._members.pop(member_id, None)
        if remote is not None:
            await remote.close()

    def _watch(self, member_id: str, remote: RemoteMember) -> None:
        loop = asyncio.get_running_loop()
        silent_at = remote.seen_at + remote.session_timeout
        if loop.time() < silent_at:
            loop.call_at(silent_at, self._watch, member_id, remote)
        elif self._members.get(member_id) is remote:
            task = loop.create_task(self._expel(member_id))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _expel(self, member_id: str) -> None:
        try:
            await self.leave(member_id)
        except CoordinationError:
            # The log itself is away; the member's lease there ends without us.
            return
