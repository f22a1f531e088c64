"""SqliteLog: the EventLog in one SQLite file."""

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal
from uuid import uuid4
from weakref import WeakValueDictionary

from coordination.eventlog import (
    Appended,
    Ends,
    GroupInfo,
    NewRecord,
    Reader,
    TopicInfo,
    TopicPartition,
    TopicSpec,
    check_records,
    check_spec,
)
from coordination.groupstate import Member, describe
from coordination.logclock import wall_clock
from coordination.logmember import LeasedMember
from coordination.logreader import LogReader
from coordination.sqlitelog import jobs
from coordination.sqlitelog.store import Store
from coordination.sqlitelog.upkeep import Upkeep, keep_up
from coordination.sqlitelog.writer import Writer
from coordination.wakeup import Wakeup

LOOK_EVERY: Final = 0.025
"""Seconds between looks for what other processes appended; what this process appends wakes readers at once."""

_wakeups: WeakValueDictionary[Path, Wakeup] = WeakValueDictionary()
_wakeups_lock = threading.Lock()


class SqliteTransaction:
    """The owner of a transactional id, until a newer one takes it over."""

    def __init__(self, writer: Writer, transactional_id: str, epoch: int) -> None:
        self._writer, self._id, self._epoch = writer, transactional_id, epoch

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See `Transaction.append`."""
        check_records(records)
        return await self._writer.run(lambda batch: jobs.append_as(batch, self._id, self._epoch, records))

    async def close(self) -> None:
        """Nothing is left open: every append is a transaction of its own."""


class SqliteLog:
    """An EventLog in one SQLite file; see the package. Several event loops may share one SqliteLog.

    `clock` gives milliseconds since 1970 UTC for append times; leases run on the machine's own clock.
    """

    kind: Literal["sqlite"] = "sqlite"
    transactional = True

    def __init__(self, path: Path | str, clock: Callable[[], int] = wall_clock) -> None:
        """Open the file, creating it if need be. Raises LogUnreachable."""
        path = Path(path).resolve()
        with _wakeups_lock:
            wakeup = _wakeups.setdefault(path, Wakeup())
        self.path = path
        self.source = Store(path, wakeup, LOOK_EVERY)
        self._writer = Writer(path, clock, wakeup)

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See `EventLog.append`; all or nothing here."""
        check_records(records)
        if not records:
            return []
        return await self._writer.run(lambda batch: batch.append(records))

    async def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """See `EventLog.reader`."""
        return LogReader(self.source, positions)

    async def join(
        self, group: str, topics: Sequence[str], *, client_id: str, session_timeout: float = 10.0
    ) -> LeasedMember:
        """See `EventLog.join`."""
        timeout = int(session_timeout * 1000)
        member_id = f"{client_id}-{uuid4()}"
        member = Member(member_id, client_id, socket.gethostname(), tuple(topics), timeout, wall_clock() + timeout)
        await self._writer.run(lambda batch: jobs.enter(batch, group, member))
        return LeasedMember(self, group, member_id, session_timeout)

    async def transaction(self, transactional_id: str) -> SqliteTransaction:
        """See `EventLog.transaction`."""
        epoch = await self._writer.run(lambda batch: jobs.take_over(batch, transactional_id))
        return SqliteTransaction(self._writer, transactional_id, epoch)

    async def ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Ends]:
        """See `EventLog.ends`."""
        return self.source.ends(partitions)

    async def offsets_for_time(self, partitions: Sequence[TopicPartition], timestamp: int) -> dict[TopicPartition, int]:
        """See `EventLog.offsets_for_time`."""
        return {partition: self.source.offset_for_time(partition, timestamp) for partition in partitions}

    async def commits(self, group: str) -> dict[TopicPartition, int]:
        """See `EventLog.commits`."""
        return self.source.commits(group)

    async def set_commits(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """See `EventLog.set_commits`."""
        await self._writer.run(lambda batch: jobs.set_positions(batch, group, offsets))

    async def groups(self) -> list[GroupInfo]:
        """See `EventLog.groups`."""
        counts = {name: info.partitions for name, info in self.source.topics().items()}
        return [describe(group, counts) for group in self.source.groups()]

    async def topics(self) -> dict[str, TopicInfo]:
        """See `EventLog.topics`."""
        return self.source.topics()

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """See `EventLog.create_topics`; all or nothing here."""
        for spec in specs:
            check_spec(spec)
        await self._writer.run(lambda batch: jobs.create(batch, specs))

    async def delete_topic(self, name: str) -> None:
        """See `EventLog.delete_topic`; `maintain` frees the space."""
        await self._writer.run(lambda batch: jobs.delete(batch, name))

    async def maintain(self, now: int) -> Upkeep:
        """Retention, compaction, merging of small chunks and freeing of space; `now` in ms since 1970 UTC.

        Call it every minute or so, from any process. It works in short transactions, so that appends go on.
        """
        return await keep_up(self.path, self._writer, now)

    async def close(self) -> None:
        """Finish appends under way and close the file."""
        await self._writer.close()
        self.source.close()

    def group_revision(self, group: str) -> int:
        """See `GroupHome.group_revision`."""
        return self.source.group_revision(group)

    async def visit(self, group: str, member_id: str, polls: bool) -> frozenset[TopicPartition]:
        """See `GroupHome.visit`."""
        return await self._writer.run(lambda batch: jobs.visit(batch, group, member_id, polls))

    async def commit_as(
        self, group: str, member_id: str, offsets: Mapping[TopicPartition, int], records: Sequence[NewRecord]
    ) -> list[Appended]:
        """See `GroupHome.commit_as`."""
        check_records(records)
        return await self._writer.run(lambda batch: jobs.commit(batch, group, member_id, offsets, records))

    async def leave(self, group: str, member_id: str) -> None:
        """See `GroupHome.leave`."""
        await self._writer.run(lambda batch: jobs.part(batch, group, member_id))
