"""The EventLog protocol: what a log must offer, whichever technology keeps it.

Four adapters implement it (memory, SQLite file, Kafka, HTTP) and pass one contract test. A log is a set of
topics; a topic is a fixed number of partitions; a partition is an ordered list of records, each with an
offset that grows (gaps are allowed: transaction markers, compaction). Records of one key keep their order
because the partition is chosen by murmur2 over the key bytes, as Kafka's own clients do.

Times are milliseconds since 1970 UTC, offsets are integers, a *position* is always the next offset to read.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from coordination.logvalues import (
    APPEND_TIME,
    CREATE_TIME,
    MAX_RECORD_BYTES,
    Appended,
    Ends,
    GroupInfo,
    Headers,
    MemberInfo,
    NewRecord,
    Record,
    StoredRecord,
    TopicInfo,
    TopicPartition,
    TopicSpec,
    check_records,
    check_spec,
    record_bytes,
)

__all__ = [
    "APPEND_TIME",
    "CREATE_TIME",
    "MAX_RECORD_BYTES",
    "Appended",
    "Ends",
    "EventLog",
    "GroupInfo",
    "Headers",
    "MemberInfo",
    "Membership",
    "NewRecord",
    "Reader",
    "Record",
    "StoredRecord",
    "TopicInfo",
    "TopicPartition",
    "TopicSpec",
    "Transaction",
    "check_records",
    "check_spec",
    "record_bytes",
]


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
