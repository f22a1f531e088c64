"""What passes between a log and its users: records, positions, topics, groups, as values."""

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

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
