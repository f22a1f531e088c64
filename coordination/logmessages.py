"""What travels between an agent's HTTP log and the dashboard that serves it: one struct per question and answer.

Every call is `POST /api/v1/log/<call>` with a bearer token; question and answer are msgpack maps with the field
names below (`application/msgpack`), because keys, values and header values are bytes and stay bytes there. A
refusal is a problem document in JSON (RFC 9457) whose `error` names the kind of error, `code` the exact reason.

Who reads, keeps the positions: each fetch and each poll says where to read from. An answer that gets lost on the
way is simply asked for again, and nothing is skipped.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from coordination.eventlog import Appended, GroupInfo, NewRecord, StoredRecord, TopicInfo, TopicPartition, TopicSpec

MEDIA_TYPE: Final = "application/msgpack"
MAX_WAIT: Final = 20.0
"""Seconds a single fetch or poll waits at most; who wants to wait longer asks again."""
MAX_QUESTION_BYTES: Final = 2_000_000
"""Bytes of records in one question. Larger appends are sent in parts; a larger commit is refused."""
MAX_ANSWER_BYTES: Final = 8_000_000
"""Bytes of records in one answer, except that a single record always fits."""


class Position(NamedTuple):
    """An offset in a partition: the next to read, or one committed."""

    topic: str
    partition: int
    offset: int


class PartitionEnds(NamedTuple):
    """See `Ends`."""

    topic: str
    partition: int
    begin: int
    stable: int
    high: int


class Append(msgspec.Struct, frozen=True):
    """append → Placed."""

    records: list[NewRecord]


class Placed(msgspec.Struct, frozen=True):
    """Where appended records stand, in the order asked."""

    appended: list[Appended]


class Fetch(msgspec.Struct, frozen=True):
    """fetch → Fetched. `timeout` in seconds, up to MAX_WAIT."""

    positions: list[Position]
    max_records: int
    timeout: float


class Fetched(msgspec.Struct, frozen=True):
    """Records, and the positions after them."""

    records: list[StoredRecord]
    positions: list[Position]


class Join(msgspec.Struct, frozen=True):
    """join → Joined. `session_timeout` in seconds."""

    group: str
    topics: list[str]
    client_id: str
    session_timeout: float


class Joined(msgspec.Struct, frozen=True):
    """The id the new member goes by from now on; nobody else knows it."""

    member_id: str


class Poll(msgspec.Struct, frozen=True):
    """poll → Polled. `positions` are those the member knows; the others start where the group committed."""

    member_id: str
    positions: list[Position]
    paused: list[TopicPartition]
    max_records: int
    timeout: float


class Polled(msgspec.Struct, frozen=True):
    """Records of assigned partitions, the positions after them, and the partitions assigned now."""

    records: list[StoredRecord]
    positions: list[Position]
    assignment: list[TopicPartition]


class Heartbeat(msgspec.Struct, frozen=True):
    """heartbeat → Done: the member lives."""

    member_id: str


class Commit(msgspec.Struct, frozen=True):
    """commit → Placed: positions and records in one transaction."""

    member_id: str
    offsets: list[Position]
    records: list[NewRecord]


class Leave(msgspec.Struct, frozen=True):
    """leave → Done. A member that is gone already is no error."""

    member_id: str


class TakeOver(msgspec.Struct, frozen=True):
    """transaction → Owner."""

    transactional_id: str


class Owner(msgspec.Struct, frozen=True):
    """The id of the new owner of a transactional id."""

    owner_id: str


class AppendAs(msgspec.Struct, frozen=True):
    """transaction-append → Placed."""

    owner_id: str
    records: list[NewRecord]


class Release(msgspec.Struct, frozen=True):
    """transaction-close → Done."""

    owner_id: str


class AskEnds(msgspec.Struct, frozen=True):
    """ends → FoundEnds."""

    partitions: list[TopicPartition]


class FoundEnds(msgspec.Struct, frozen=True):
    """Ends of the partitions that exist."""

    ends: list[PartitionEnds]


class AskTime(msgspec.Struct, frozen=True):
    """offsets-for-time → Positions. `timestamp` in ms since 1970 UTC."""

    partitions: list[TopicPartition]
    timestamp: int


class AskCommits(msgspec.Struct, frozen=True):
    """commits → Positions."""

    group: str


class Positions(msgspec.Struct, frozen=True):
    """Offsets of partitions."""

    positions: list[Position]


class SetCommits(msgspec.Struct, frozen=True):
    """set-commits → Done."""

    group: str
    offsets: list[Position]


class AskGroups(msgspec.Struct, frozen=True):
    """groups → Groups."""


class Groups(msgspec.Struct, frozen=True):
    """Consumer groups, as far as the token may see them."""

    groups: list[GroupInfo]


class AskTopics(msgspec.Struct, frozen=True):
    """topics → Topics."""


class Topics(msgspec.Struct, frozen=True):
    """Topics, as far as the token may see them."""

    topics: list[TopicInfo]


class CreateTopics(msgspec.Struct, frozen=True):
    """create-topics → Done."""

    specs: list[TopicSpec]


class DeleteTopic(msgspec.Struct, frozen=True):
    """delete-topic → Done."""

    name: str


class Done(msgspec.Struct, frozen=True):
    """There is nothing to say beyond that it is done."""


def to_positions(offsets: Mapping[TopicPartition, int]) -> list[Position]:
    """As they travel."""
    return [Position(partition.topic, partition.partition, offset) for partition, offset in offsets.items()]


def from_positions(positions: Iterable[Position]) -> dict[TopicPartition, int]:
    """As the log takes them."""
    return {TopicPartition(at.topic, at.partition): at.offset for at in positions}
