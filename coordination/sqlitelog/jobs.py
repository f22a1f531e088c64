"""What the writer does inside its transaction, besides appending: groups, positions, topics, producers.

Every job checks first and writes last, so that one that is refused leaves nothing half done behind.
"""

from collections.abc import Mapping, Sequence
from uuid import uuid4

import msgspec

from coordination.errors import LogDenied, MemberFenced, OffsetOutOfRange, UnknownTopic
from coordination.eventlog import Appended, NewRecord, TopicPartition, TopicSpec
from coordination.groupstate import Group, Member, expel_silent, hand_over, join, leave, renew, require_owner
from coordination.logclock import wall_clock
from coordination.sqlitelog.batch import Batch
from coordination.sqlitelog.file import OFFSET_BITS

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Group).decode


def enter(batch: Batch, group: str, member: Member) -> None:
    """A new member. Raises UnknownTopic."""
    for name in member.topics:
        if name not in batch.topics():
            raise UnknownTopic(f"Topic {name} does not exist.")
    _keep(batch, join(_group(batch, group), member))


def visit(batch: Batch, group: str, member_id: str, polls: bool) -> frozenset[TopicPartition]:
    """A sign of life, and at a poll the hand-over of partitions. Raises MemberFenced."""
    current = renew(_group(batch, group), member_id, wall_clock())
    if polls:
        current = hand_over(current, member_id, batch.partition_counts())
    _keep(batch, current)
    return frozenset(current.owned.get(member_id, ()))


def part(batch: Batch, group: str, member_id: str) -> None:
    """A member leaves."""
    _keep(batch, leave(_group(batch, group), [member_id]))


def commit(
    batch: Batch,
    group: str,
    member_id: str,
    offsets: Mapping[TopicPartition, int],
    records: Sequence[NewRecord],
) -> list[Appended]:
    """Positions and records of a member. Raises MemberFenced, UnknownTopic."""
    require_owner(_group(batch, group), member_id, offsets)
    positions = _positions(batch, offsets)
    placed = batch.append(records)
    _set(batch, group, positions)
    return placed


def set_positions(batch: Batch, group: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Positions of a group without members. Raises LogDenied, UnknownTopic."""
    if _group(batch, group).members:
        raise LogDenied(
            f"Group {group} has members; only they commit for it. Stop them first.", code="group_has_members"
        )
    _set(batch, group, _positions(batch, offsets))


def take_over(batch: Batch, transactional_id: str) -> int:
    """The epoch of a new owner of a transactional id."""
    ((epoch,),) = batch.connection.execute(
        "INSERT INTO producers VALUES (?, 0) ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
        (transactional_id,),
    ).fetchall()
    return int(epoch)


def append_as(batch: Batch, transactional_id: str, epoch: int, records: Sequence[NewRecord]) -> list[Appended]:
    """Append for an owner of a transactional id. Raises MemberFenced."""
    (current,) = batch.connection.execute(
        "SELECT epoch FROM producers WHERE transactional_id = ?", (transactional_id,)
    ).fetchone()
    if current != epoch:
        raise MemberFenced(f"A newer owner of transactional id {transactional_id} exists.")
    return batch.append(records)


def create(batch: Batch, specs: Sequence[TopicSpec]) -> None:
    """Create checked topics, except those that exist."""
    missing = [spec for spec in specs if spec.name not in batch.topics()]
    for spec in {spec.name: spec for spec in reversed(missing)}.values():
        config = spec.config | {"message.timestamp.type": "LogAppendTime"}
        inserted = batch.connection.execute(
            "INSERT INTO topics (uid, name, partitions, config) VALUES (?, ?, ?, ?)",
            (uuid4().hex, spec.name, spec.partitions, msgspec.json.encode(config).decode()),
        )
        revision = batch.next_revision()
        batch.connection.executemany(
            "INSERT INTO partitions (topic, number, changed) VALUES (?, ?, ?)",
            [(inserted.lastrowid, number, revision) for number in range(spec.partitions)],
        )
    if missing:
        batch.topics_changed()


def delete(batch: Batch, name: str) -> None:
    """Delete a topic and the positions on it; its records are freed later. Raises UnknownTopic."""
    topic = batch.topics().get(name)
    if topic is None:
        raise UnknownTopic(f"Topic {name} does not exist.")
    batch.flush()
    ids = [(partition_id,) for partition_id in topic.partition_ids]
    changed = [(batch.next_revision(), partition_id) for (partition_id,) in ids]
    batch.connection.execute("UPDATE topics SET deleted = 1 WHERE name = ? AND NOT deleted", (name,))
    batch.connection.executemany("UPDATE partitions SET changed = ? WHERE id = ?", changed)
    batch.connection.executemany("DELETE FROM commits WHERE partition = ?", ids)
    batch.topics_changed()


def _positions(batch: Batch, offsets: Mapping[TopicPartition, int]) -> dict[int, int]:
    for partition, offset in offsets.items():
        if not 0 <= offset < 1 << OFFSET_BITS:
            raise OffsetOutOfRange(f"{partition.topic}[{partition.partition}] can have no position {offset}.")
    return {batch.partition_id(partition): offset for partition, offset in offsets.items()}


def _set(batch: Batch, group: str, positions: Mapping[int, int]) -> None:
    batch.connection.executemany(
        "INSERT INTO commits VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position",
        [(group, partition_id, position) for partition_id, position in positions.items()],
    )


def _group(batch: Batch, name: str) -> Group:
    known = _stored(batch, name)
    current = expel_silent(known, wall_clock())
    if current is not known:
        _keep(batch, current)
    return current


def _keep(batch: Batch, group: Group) -> None:
    known = _stored(batch, group.name)
    changed = (known.generation, known.owned) != (group.generation, group.owned)
    batch.connection.execute(
        "INSERT INTO groups VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET revision = revision + ?, state = excluded.state",
        (group.name, _encode(group), int(changed)),
    )
    batch.noticeable |= changed


def _stored(batch: Batch, name: str) -> Group:
    row = batch.connection.execute("SELECT state FROM groups WHERE name = ?", (name,)).fetchone()
    return Group(name) if row is None else _decode(row[0])
