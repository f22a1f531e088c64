"""The log in memory: the twin of every other adapter, for tests, demo and documentation.

It keeps nothing on disk and serves one process. Coroutines of any number of event loops, in any threads, may
share one MemoryLog. Time comes from an injected clock; leases of members run on the monotonic clock instead, so
that moving the injected clock expels nobody. What other logs do over days it does on request: `truncate` is
retention, `delete_topic` and `create_topics` recreate a topic with another id, `open_transaction` leaves a
transaction open, and ending it takes up offsets nobody can read, as Kafka's markers do.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal
from uuid import uuid4

from coordination.errors import LogDenied, MemberFenced, UnknownTopic
from coordination.eventlog import (
    Appended,
    Ends,
    GroupInfo,
    NewRecord,
    Reader,
    TopicInfo,
    TopicPartition,
    TopicSpec,
)
from coordination.groupstate import (
    Group,
    Member,
    describe,
    expel_silent,
    hand_over,
    join,
    leave,
    renew,
    require_owner,
)
from coordination.logclock import steady_clock, wall_clock
from coordination.logmember import LeasedMember
from coordination.logreader import LogReader
from coordination.memorystore import MemoryStore


class OpenTransaction:
    """Appended records that are not stable yet: `commit` or `abort` them."""

    def __init__(self, store: MemoryStore, records: Sequence[NewRecord]) -> None:
        self.appended = store.append(records, "open")
        self._store = store

    def commit(self) -> None:
        """Make the records readable."""
        self._store.end(self.appended, commit=True)

    def abort(self) -> None:
        """Make the records vanish; their offsets stay used up."""
        self._store.end(self.appended, commit=False)


class MemoryTransaction:
    """The owner of a transactional id, until a newer one takes it over."""

    def __init__(self, log: "MemoryLog", transactional_id: str, epoch: int) -> None:
        self._log, self._id, self._epoch = log, transactional_id, epoch

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See `Transaction.append`."""
        with self._log.source.lock:
            if self._log.epochs[self._id] != self._epoch:
                raise MemberFenced(f"A newer owner of transactional id {self._id} exists.")
            return self._log.source.append(records)

    async def close(self) -> None:
        """Nothing is left open: every append is a transaction of its own."""


class MemoryLog:
    """An EventLog in memory. `clock` gives milliseconds since 1970 UTC for append times."""

    kind: Literal["memory"] = "memory"
    transactional = True

    def __init__(self, clock: Callable[[], int] = wall_clock) -> None:
        self.source = MemoryStore(clock)
        self.epochs: dict[str, int] = {}
        self._groups: dict[str, Group] = {}
        self._commits: dict[str, dict[TopicPartition, int]] = {}
        self._group_changes = 0

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See `EventLog.append`; all or nothing here."""
        return self.source.append(records)

    def open_transaction(self, records: Sequence[NewRecord]) -> OpenTransaction:
        """Append records that stay unstable until the transaction is ended."""
        return OpenTransaction(self.source, records)

    def truncate(self, partition: TopicPartition, before: int) -> None:
        """Forget the records of a partition before an offset, as retention does."""
        self.source.truncate(partition, before)

    async def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """See `EventLog.reader`."""
        return LogReader(self.source, positions)

    async def join(
        self, group: str, topics: Sequence[str], *, client_id: str, session_timeout: float = 10.0
    ) -> LeasedMember:
        """See `EventLog.join`."""
        timeout = int(session_timeout * 1000)
        with self.source.lock:
            for name in topics:
                if name not in self.source.topics:
                    raise UnknownTopic(f"Topic {name} does not exist.")
            member = Member(
                f"{client_id}-{uuid4()}", client_id, "memory", tuple(topics), timeout, steady_clock() + timeout
            )
            self._keep(join(self._group(group), member))
        return LeasedMember(self, group, member.member_id, session_timeout)

    async def transaction(self, transactional_id: str) -> MemoryTransaction:
        """See `EventLog.transaction`."""
        with self.source.lock:
            epoch = self.epochs[transactional_id] = self.epochs.get(transactional_id, -1) + 1
        return MemoryTransaction(self, transactional_id, epoch)

    async def ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Ends]:
        """See `EventLog.ends`."""
        with self.source.lock:
            found = {partition: self.source.find(partition) for partition in partitions}
            return {key: Ends(*kept.stand[1:]) for key, kept in found.items() if kept is not None}

    async def offsets_for_time(self, partitions: Sequence[TopicPartition], timestamp: int) -> dict[TopicPartition, int]:
        """See `EventLog.offsets_for_time`."""
        with self.source.lock:
            found = {}
            for key in partitions:
                kept = self.source.partition(key)
                later = (record.offset for record in kept.records if record.timestamp >= timestamp)
                found[key] = next(later, kept.high)
            return found

    async def commits(self, group: str) -> dict[TopicPartition, int]:
        """See `EventLog.commits`."""
        with self.source.lock:
            return dict(self._commits.get(group, {}))

    async def set_commits(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """See `EventLog.set_commits`."""
        with self.source.lock:
            if self._group(group).members:
                raise LogDenied(
                    f"Group {group} has members; only they commit for it. Stop them first.",
                    code="group_has_members",
                )
            for partition in offsets:
                self.source.partition(partition)
            self._commits.setdefault(group, {}).update(offsets)

    async def groups(self) -> list[GroupInfo]:
        """See `EventLog.groups`."""
        with self.source.lock:
            names = sorted(self._groups.keys() | self._commits.keys())
            counts = self.source.partition_counts()
            return [describe(self._group(name), counts) for name in names]

    async def topics(self) -> dict[str, TopicInfo]:
        """See `EventLog.topics`."""
        with self.source.lock:
            return {name: topic.info for name, topic in self.source.topics.items()}

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """See `EventLog.create_topics`."""
        for spec in specs:
            self.source.create(spec)

    async def delete_topic(self, name: str) -> None:
        """See `EventLog.delete_topic`."""
        with self.source.lock:
            self.source.delete(name)
            for committed in self._commits.values():
                for partition in [p for p in committed if p.topic == name]:
                    del committed[partition]

    async def close(self) -> None:
        """Nothing to close: other users of this log go on."""

    def group_revision(self, group: str) -> int:
        """See `GroupHome.group_revision`; coarse, since looking again is cheap here."""
        return self._group_changes + self.source.topic_changes

    async def visit(self, group: str, member_id: str, polls: bool) -> frozenset[TopicPartition]:
        """See `GroupHome.visit`."""
        with self.source.lock:
            current = renew(self._group(group), member_id, steady_clock())
            if polls:
                current = hand_over(current, member_id, self.source.partition_counts())
            self._keep(current)
            return frozenset(current.owned.get(member_id, ()))

    async def commit_as(
        self, group: str, member_id: str, offsets: Mapping[TopicPartition, int], records: Sequence[NewRecord]
    ) -> list[Appended]:
        """See `GroupHome.commit_as`."""
        with self.source.lock:
            require_owner(self._group(group), member_id, offsets)
            for partition in offsets:
                self.source.partition(partition)
            placed = self.source.append(records)
            self._commits.setdefault(group, {}).update(offsets)
            return placed

    async def leave(self, group: str, member_id: str) -> None:
        """See `GroupHome.leave`."""
        with self.source.lock:
            self._keep(leave(self._group(group), [member_id]))

    def _group(self, name: str) -> Group:
        known = self._groups.get(name)
        if known is None:
            return Group(name)
        current = expel_silent(known, steady_clock())
        self._keep(current)
        return current

    def _keep(self, group: Group) -> None:
        known = self._groups.get(group.name, Group(group.name))
        self._groups[group.name] = group
        if (known.generation, known.owned) != (group.generation, group.owned):
            self._group_changes += 1
            self.source.wakeup.wake()
