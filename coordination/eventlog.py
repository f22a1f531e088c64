"""The EventLog protocol: what a log must offer, whichever technology keeps it.

Four adapters implement it (memory, SQLite file, Kafka, HTTP) and pass one contract test. A log is a set of
topics; a topic is a fixed number of partitions; a partition is an ordered list of records, each with an
offset that grows (gaps are allowed: transaction markers, compaction). Records of one key keep their order
because the partition is chosen by murmur2 over the key bytes, as Kafka's own clients do.

Times are milliseconds since 1970 UTC, offsets are integers, a *position* is always the next offset to read.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from coordination.errors import LogDenied, RecordTooLarge

Headers = Sequence[tuple[str, bytes]]
APPEND_TIME = 1
CREATE_TIME = 0
MAX_RECORD_BYTES = 1 << 20
_TOPIC_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Record(Protocol):
    """A record as read. Structural, so that a client's own record passes without being copied."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970 UTC."""
        ...

    @property
    def timestamp_type(self) -> int | None:
        """1: stamped by the log when appended; 0 or None: claimed by the producer."""
        ...

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


class StoredRecord(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The Record of our own logs, and of stored copies."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class NewRecord(msgspec.Struct, frozen=True, gc=False):
    """A record to append. `partition` None means: by murmur2 of the key, or round robin without a key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


def record_bytes(record: NewRecord | StoredRecord) -> int:
    """Bytes of key, value, header names (UTF-8) and header values together."""
    size = len(record.key or b"") + len(record.value or b"")
    return size + sum(len(name.encode()) + len(value) for name, value in record.headers)


def check_records(records: Sequence[NewRecord]) -> None:
    """Refuse a batch whole, before anything of it is written.

    Raises RecordTooLarge for a record of more than `MAX_RECORD_BYTES` (protocol, section 1), and TypeError for
    one that is not made of bytes: stored, it would fail every reader.
    """
    for record in records:
        if not _is_bytes(record):
            raise TypeError(f"Keys, values and header values are bytes: {record!r}")
        size = record_bytes(record)
        if size > MAX_RECORD_BYTES:
            raise RecordTooLarge(
                f"A record for topic {record.topic} has {size} bytes; the limit is {MAX_RECORD_BYTES}. "
                "Put large data elsewhere and refer to it by dataref."
            )


def _is_bytes(record: NewRecord) -> bool:
    content = [value for _, value in record.headers]
    content += [part for part in (record.key, record.value) if part is not None]
    return all(type(part) is bytes for part in content)


class Appended(NamedTuple):
    """Where a record now stands; `timestamp` in milliseconds, the log's own where it stamps append time."""

    topic: str
    partition: int
    offset: int
    timestamp: int


class Ends(NamedTuple):
    """The ends of a partition: first offset kept, last stable offset, high watermark (both exclusive).

    `stable` < `high` while a transaction is open. On logs without transactions they are equal.
    """

    begin: int
    stable: int
    high: int


class TopicSpec(msgspec.Struct, frozen=True):
    """A topic to create. `config` uses Kafka's names, for instance {"cleanup.policy": "compact"}."""

    name: str
    partitions: int
    replication: int = 1
    config: dict[str, str] = {}


def check_spec(spec: TopicSpec) -> None:
    """Raise LogDenied with code `invalid_topic` unless a topic of this name and size can exist (Kafka's rules)."""
    if not _TOPIC_NAME.fullmatch(spec.name):
        raise LogDenied(
            f"{spec.name!r} is no topic name: 1 to 249 of A-Z a-z 0-9 . _ - are allowed.", code="invalid_topic"
        )
    if spec.partitions < 1:
        raise LogDenied(f"Topic {spec.name} needs at least one partition.", code="invalid_topic")


class TopicInfo(msgspec.Struct, frozen=True):
    """A topic as it is. `config` None: the right to read it is missing. `topic_id` changes on re-creation."""

    name: str
    partitions: int
    replication: int
    config: dict[str, str] | None
    topic_id: str = ""


class MemberInfo(msgspec.Struct, frozen=True):
    """One member of a consumer group and the partitions assigned to it."""

    member_id: str
    client_id: str
    host: str
    partitions: tuple[TopicPartition, ...] = ()


class GroupInfo(msgspec.Struct, frozen=True):
    """A consumer group. `members` None: they cannot be read (never to be shown as dead).

    `state` is the broker's word: stable, preparing_rebalance, completing_rebalance, empty, dead, unknown.
    """

    group: str
    state: str
    protocol: str = "consumer"
    generation: int | None = None
    members: tuple[MemberInfo, ...] | None = None


class Reader(Protocol):
    """Reads assigned partitions from given positions, committed records only; joins no consumer group."""

    async def read(self, max_records: int, timeout: float) -> Sequence[Record]:
        """Up to `max_records`, as soon as there is at least one or after `timeout` seconds (then empty).

        Raises OffsetOutOfRange (message names the partition), LogUnreachable, LogDenied, UnknownTopic.
        Per partition the records come in offset order.
        """
        ...

    def positions(self) -> Mapping[TopicPartition, int]:
        """The next offset to read of each assigned partition (past markers and gaps already skipped)."""
        ...

    async def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue at `offset`."""
        ...

    async def close(self) -> None: ...


class Membership(Protocol):
    """One member of a consumer group: polls records of the partitions assigned to it.

    It tells the log that it lives by heartbeats of its own, as long as its event loop turns; a blocked loop or
    a dead process falls silent. Partitions on their way to another member are handed over in `poll`, so commit
    what was polled before polling on.
    """

    group: str
    member_id: str

    async def poll(self, max_records: int, timeout: float) -> Sequence[Record]:
        """Next records of the assigned partitions, from the committed positions on (or the beginning).

        A position the log no longer has, or does not have yet, is reset to the beginning of the partition.
        Raises MemberFenced after the member was expelled for silence; join anew then.
        """
        ...

    def assignment(self) -> frozenset[TopicPartition]:
        """Partitions assigned now."""
        ...

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Stop returning records of these partitions until resumed (back-pressure)."""
        ...

    def resume(self, partitions: Sequence[TopicPartition]) -> None: ...

    async def commit(self, offsets: Mapping[TopicPartition, int], records: Sequence[NewRecord] = ()) -> list[Appended]:
        """Commit positions and append records in one transaction: all of it is visible, or nothing.

        A member that lost a partition (zombie) cannot commit it or append with it: MemberFenced.
        """
        ...

    async def close(self) -> None:
        """Leave the group at once, so that others take over without waiting."""
        ...


class Transaction(Protocol):
    """A fenced producer that owns one transactional id, for the relay."""

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """Append all or nothing. Raises MemberFenced when a newer owner of the id exists.

        LogUnreachable means *outcome unknown*: throw the producer away, open it anew and read back.
        """
        ...

    async def close(self) -> None: ...


class EventLog(Protocol):
    """A log. All calls may raise LogUnreachable, LogDenied and UnknownTopic; none waits for ever."""

    @property
    def kind(self) -> Literal["memory", "sqlite", "kafka", "http"]:
        """Which technology keeps the log."""
        ...

    @property
    def transactional(self) -> bool:
        """Whether `Membership.commit` and `Transaction.append` are atomic: readers see all of a call, or nothing."""
        ...

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """Append durably, keeping the order per partition; returns one position per record.

        Idempotent towards the log's own retries. Raises RecordTooLarge (nothing is appended then), and
        CoordinationError for a record without a key on a compacted topic.
        """
        ...

    async def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """A reader of these partitions from these positions."""
        ...

    async def join(
        self, group: str, topics: Sequence[str], *, client_id: str, session_timeout: float = 10.0
    ) -> Membership:
        """Become a member of a consumer group over whole topics; silence over `session_timeout` s expels."""
        ...

    async def transaction(self, transactional_id: str) -> Transaction:
        """Take over a transactional id: the former owner is fenced and its open transaction aborted."""
        ...

    async def ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Ends]:
        """Ends of the partitions asked for; partitions that do not exist are missing from the answer."""
        ...

    async def offsets_for_time(self, partitions: Sequence[TopicPartition], timestamp: int) -> dict[TopicPartition, int]:
        """The first offset whose timestamp (ms) is at or after `timestamp`; the high watermark if none."""
        ...

    async def commits(self, group: str) -> dict[TopicPartition, int]:
        """Committed positions of a group; partitions without a commit are missing, not 0."""
        ...

    async def set_commits(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit for a group without members (observers, offset reset).

        Refused while it has members: LogDenied with code `group_has_members`.
        """
        ...

    async def groups(self) -> list[GroupInfo]:
        """All consumer groups, members included where they can be read."""
        ...

    async def topics(self) -> dict[str, TopicInfo]:
        """All topics, without the log's internal ones."""
        ...

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Create topics; one that exists already is left as it is.

        Returns when they can be used. A name or a number of partitions the log cannot keep: LogDenied with
        code `invalid_topic`.
        """
        ...

    async def delete_topic(self, name: str) -> None:
        """Delete a topic, its records and the positions committed on it. Raises UnknownTopic."""
        ...

    async def close(self) -> None: ...
