"""The calls of the log's HTTP face: one coroutine per question, one table that lists them.

Each takes the log as `Face` knows it, the caller's rights and the decoded question, checks the rights, and
returns the answer. Refusals are CoordinationErrors.
"""

from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import uuid4

import msgspec

from coordination import logmessages as m
from coordination.errors import MemberFenced
from coordination.eventlog import (
    EventLog,
    GroupInfo,
    Record,
    StoredRecord,
    TopicPartition,
    Transaction,
    check_records,
    record_bytes,
)
from dashboard.api.logscope import Caller
from dashboard.api.remotemembers import RemoteMembers

MAX_RECORDS: Final = 5_000
SESSIONS: Final = (1.0, 300.0)
MAX_OWNERS: Final = 256
TRANSACTIONS: Final = "http."


class Face:
    """The log, and what this process holds for callers elsewhere: members and owners of transactional ids."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.members = RemoteMembers()
        self._owners: OrderedDict[str, Transaction] = OrderedDict()

    def own(self, transaction: Transaction) -> str:
        """Keep a transaction; the longest unused one of too many is given up."""
        owner_id = str(uuid4())
        self._owners[owner_id] = transaction
        if len(self._owners) > MAX_OWNERS:
            self._owners.popitem(last=False)
        return owner_id

    def owned(self, owner_id: str) -> Transaction:
        """A transaction that is kept. Raises MemberFenced."""
        if owner_id not in self._owners:
            raise MemberFenced(f"{owner_id} owns no transactional id any more. Take it over anew.")
        self._owners.move_to_end(owner_id)
        return self._owners[owner_id]

    def disown(self, owner_id: str) -> Transaction | None:
        """Give a transaction up."""
        return self._owners.pop(owner_id, None)


async def append(face: Face, caller: Caller, asked: m.Append) -> m.Placed:
    """Append records."""
    caller.may_write(record.topic for record in asked.records)
    check_records(asked.records)
    return m.Placed(await face.log.append(asked.records))


async def fetch(face: Face, caller: Caller, asked: m.Fetch) -> m.Fetched:
    """Read from positions, waiting for the first record up to `timeout` s."""
    caller.may_read(at.topic for at in asked.positions)
    reader = await face.log.reader(m.from_positions(asked.positions))
    try:
        records = await reader.read(_count(asked.max_records), _wait(asked.timeout))
        return m.Fetched(*_fitting(records, reader.positions()))
    finally:
        await reader.close()


async def join(face: Face, caller: Caller, asked: m.Join) -> m.Joined:
    """Become a member of a consumer group."""
    caller.may_join(asked.group)
    caller.may_read(asked.topics)
    shortest, longest = SESSIONS
    session = min(max(asked.session_timeout, shortest), longest)
    member = await face.log.join(asked.group, asked.topics, client_id=asked.client_id, session_timeout=session)
    face.members.add(face.log, member, session)
    return m.Joined(member.member_id)


async def poll(face: Face, caller: Caller, asked: m.Poll) -> m.Polled:
    """Records of the partitions assigned to a member; returns early when partitions move."""
    remote = face.members.find(asked.member_id)
    caller.may_read({at.topic for at in asked.positions} | {p.topic for p in remote.member.assignment()})
    async with remote.lock:
        known = m.from_positions(asked.positions)
        found = await remote.poll(known, asked.paused, _count(asked.max_records), _wait(asked.timeout))
        records, positions = _fitting(*found)
        return m.Polled(records, positions, sorted(remote.member.assignment()))


async def heartbeat(face: Face, caller: Caller, asked: m.Heartbeat) -> m.Done:
    """A member lives."""
    face.members.find(asked.member_id)
    return m.Done()


async def commit(face: Face, caller: Caller, asked: m.Commit) -> m.Placed:
    """Positions and records of a member, in one transaction."""
    caller.may_write(record.topic for record in asked.records)
    caller.may_read(at.topic for at in asked.offsets)
    check_records(asked.records)
    offsets = m.from_positions(asked.offsets)
    return m.Placed(await face.members.commit(asked.member_id, offsets, asked.records))


async def leave(face: Face, caller: Caller, asked: m.Leave) -> m.Done:
    """A member leaves its group."""
    await face.members.leave(asked.member_id)
    return m.Done()


async def transaction(face: Face, caller: Caller, asked: m.TakeOver) -> m.Owner:
    """Take over a transactional id of this face's own name space."""
    return m.Owner(face.own(await face.log.transaction(TRANSACTIONS + asked.transactional_id)))


async def transaction_append(face: Face, caller: Caller, asked: m.AppendAs) -> m.Placed:
    """Append all or nothing, as the owner of a transactional id."""
    caller.may_write(record.topic for record in asked.records)
    check_records(asked.records)
    return m.Placed(await face.owned(asked.owner_id).append(asked.records))


async def transaction_close(face: Face, caller: Caller, asked: m.Release) -> m.Done:
    """Give a transactional id up."""
    owned = face.disown(asked.owner_id)
    if owned is not None:
        await owned.close()
    return m.Done()


async def ends(face: Face, caller: Caller, asked: m.AskEnds) -> m.FoundEnds:
    """Ends of partitions."""
    caller.may_read(partition.topic for partition in asked.partitions)
    found = await face.log.ends(asked.partitions)
    return m.FoundEnds([m.PartitionEnds(p.topic, p.partition, *at) for p, at in found.items()])


async def offsets_for_time(face: Face, caller: Caller, asked: m.AskTime) -> m.Positions:
    """The first offset at or after an instant, by partition."""
    caller.may_read(partition.topic for partition in asked.partitions)
    return m.Positions(m.to_positions(await face.log.offsets_for_time(asked.partitions, asked.timestamp)))


async def commits(face: Face, caller: Caller, asked: m.AskCommits) -> m.Positions:
    """Committed positions of a group on topics the caller may read."""
    found = await face.log.commits(asked.group)
    return m.Positions(m.to_positions({p: offset for p, offset in found.items() if caller.sees(p.topic)}))


async def set_commits(face: Face, caller: Caller, asked: m.SetCommits) -> m.Done:
    """Commit for a group without members."""
    caller.may_join(asked.group)
    caller.may_read(at.topic for at in asked.offsets)
    await face.log.set_commits(asked.group, m.from_positions(asked.offsets))
    return m.Done()


async def groups(face: Face, caller: Caller, asked: m.AskGroups) -> m.Groups:
    """Groups that work on topics the caller may read, with their partitions of these topics."""
    found = [_seen(group, caller) for group in await face.log.groups()]
    return m.Groups([group for group in found if await _concerns(face, caller, group)])


async def topics(face: Face, caller: Caller, asked: m.AskTopics) -> m.Topics:
    """Topics the caller may read or write."""
    found = (await face.log.topics()).values()
    return m.Topics([info for info in found if caller.sees(info.name) or caller.writes(info.name)])


async def create_topics(face: Face, caller: Caller, asked: m.CreateTopics) -> m.Done:
    """Create topics, with a right of its own."""
    caller.may_manage()
    caller.may_write(spec.name for spec in asked.specs if spec.name)
    await face.log.create_topics(asked.specs)
    return m.Done()


async def delete_topic(face: Face, caller: Caller, asked: m.DeleteTopic) -> m.Done:
    """Delete a topic, with a right of its own."""
    caller.may_manage()
    caller.may_write([asked.name])
    await face.log.delete_topic(asked.name)
    return m.Done()


class Call(NamedTuple):
    """One call: the type of its question, and what answers it."""

    question: type[Any]
    answer: Callable[[Face, Caller, Any], Coroutine[Any, Any, msgspec.Struct]]


CALLS: Final[Mapping[str, Call]] = {
    "append": Call(m.Append, append),
    "fetch": Call(m.Fetch, fetch),
    "join": Call(m.Join, join),
    "poll": Call(m.Poll, poll),
    "heartbeat": Call(m.Heartbeat, heartbeat),
    "commit": Call(m.Commit, commit),
    "leave": Call(m.Leave, leave),
    "transaction": Call(m.TakeOver, transaction),
    "transaction-append": Call(m.AppendAs, transaction_append),
    "transaction-close": Call(m.Release, transaction_close),
    "ends": Call(m.AskEnds, ends),
    "offsets-for-time": Call(m.AskTime, offsets_for_time),
    "commits": Call(m.AskCommits, commits),
    "set-commits": Call(m.SetCommits, set_commits),
    "groups": Call(m.AskGroups, groups),
    "topics": Call(m.AskTopics, topics),
    "create-topics": Call(m.CreateTopics, create_topics),
    "delete-topic": Call(m.DeleteTopic, delete_topic),
}


def _count(asked: int) -> int:
    return min(max(asked, 1), MAX_RECORDS)


def _wait(asked: float) -> float:
    # In this order what is no number becomes 0.
    return min(max(0.0, asked), m.MAX_WAIT)


def _fitting(
    records: Sequence[Record], positions: Mapping[TopicPartition, int]
) -> tuple[list[StoredRecord], list[m.Position]]:
    """As many records as fit into an answer, and positions after them; partitions just served come last."""
    fitting: list[StoredRecord] = []
    size = 0
    for record in records:
        stored = _stored(record)
        size += record_bytes(stored)
        if fitting and size > m.MAX_ANSWER_BYTES:
            break
        fitting.append(stored)
    served = {TopicPartition(record.topic, record.partition) for record in fitting}
    after = dict(positions)
    for record in reversed(records[len(fitting) :]):
        after[TopicPartition(record.topic, record.partition)] = record.offset
    ordered = sorted(after, key=lambda partition: partition in served)
    return fitting, m.to_positions({partition: after[partition] for partition in ordered})


def _stored(record: Record) -> StoredRecord:
    if isinstance(record, StoredRecord):
        return record
    return StoredRecord(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.timestamp_type,
        record.key,
        record.value,
        tuple(record.headers),
    )


def _seen(group: GroupInfo, caller: Caller) -> GroupInfo:
    if group.members is None:
        return group
    members = [
        msgspec.structs.replace(member, partitions=tuple(p for p in member.partitions if caller.sees(p.topic)))
        for member in group.members
    ]
    return msgspec.structs.replace(group, members=tuple(members))


async def _concerns(face: Face, caller: Caller, group: GroupInfo) -> bool:
    if any(member.partitions for member in group.members or ()):
        return True
    return any(caller.sees(partition.topic) for partition in await face.log.commits(group.group))
