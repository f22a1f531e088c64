"""The outbox: what goes to the log is written here first, with its final bytes, in the transaction that decided it.

The relay publishes rows and reads them back. A row belongs to the relay shard of its key, so whatever is said of
one task is sent by one relay, one after the other, in the order in which the rows became ready: a row that is held
for its undo window is ready when that has passed.
"""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from coordination.approvals import NAMESPACE
from coordination.envelope import new_event
from coordination.eventlog import NewRecord
from coordination.manifest import SHARED
from coordination.partitioner import partition_for
from coordination.wakeup import Wakeup
from dashboard.manifest import manifest
from dashboard.models import Decision, Position

UNDO_WINDOW: Final = 5_000_000
"""How long (µs) a decision of a person is held back, so that they can take it back."""
RELAY_SHARDS: Final = SHARED
"""How many relay shards there are. It never changes while anything runs: a shard is a part of a fence."""
AUTHOR: Final = "lineside"

wakeup: Final = Wakeup()
"""Rings in this process when something was put into the outbox. A hint: the relay looks by itself anyway."""

_pack = msgspec.msgpack.Encoder()
_unpack = msgspec.msgpack.Decoder(list[NewRecord])


def source() -> str:
    """The CloudEvents source of what people and timers do here: one name, since the ids are unique by themselves."""
    return f"/{settings.LINESIDE_NAMESPACE}/{AUTHOR}/outbox"


def event_id(*parts: object) -> str:
    """The id of a record that must be the same however often it is made: UUIDv5 of its parts."""
    return str(uuid.uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts)))


def record(
    name: str,
    *,
    made_of: Sequence[object],
    at: int,
    run_id: str,
    task_id: str,
    data: Any,
    **given: Any,
) -> NewRecord:
    """A record of the catalogue on its home topic, keyed by task, on the partition every reader expects.

    `made_of` are the parts its id is made of, `at` its instant in µs, `given` further attributes of `new_event`.
    Raises RecordTooLarge and MalformedRecord.
    """
    made = new_event(
        name,
        manifest=manifest(),
        source=source(),
        agent_id=AUTHOR,
        id=event_id(name, *made_of),
        time=at,
        run_id=run_id,
        task_id=task_id,
        data=data,
        **given,
    )
    partition = partition_for(made.key or b"", partitions_of(made.topic))
    return msgspec.structs.replace(made, partition=partition)


def partitions_of(topic: str) -> int:
    """How many partitions a topic has: as ingest found it (a shard is named after that), else as declared."""
    shards = Position.objects.filter(topic=topic).values_list("shard", flat=True).distinct()
    found = [int(shard.partition("-")[0]) for shard in shards]
    declared = manifest().declared(topic)
    return max(found, default=declared.partitions if declared else SHARED)


def pack(records: Sequence[NewRecord]) -> bytes:
    """Records as they are kept in the outbox."""
    return _pack.encode(list(records))


def unpack(kept: bytes | memoryview) -> list[NewRecord]:
    """The records of an outbox row."""
    return _unpack.decode(bytes(kept))


def put(
    row_id: str, records: Sequence[NewRecord], *, task_id: str, saved_at: int, hold: int = 0, **fields: Any
) -> Decision:
    """Put records into the outbox, to be sent in `hold` µs. Must run inside the transaction that decides.

    Rows of one task never share an instant: their order is the order of `saved_at`.
    """
    last = Decision.objects.filter(run_id=fields.get("run_id", ""), task_id=task_id).aggregate(at=Max("saved_at"))
    at = max(saved_at, (last["at"] or 0) + 1)
    row = Decision.objects.create(
        decision_id=row_id,
        records=pack(records),
        relay_shard=partition_for(task_id.encode(), RELAY_SHARDS),
        task_id=task_id,
        saved_at=at,
        held_until=at + hold if hold else 0,
        **fields,
    )
    after_commit(wakeup.wake)
    return row


def put_all(rows: Sequence[Decision], *, saved_at: int, valid_until: int | None = None) -> None:
    """Put many rows into the outbox at once, to be sent in their order. Must run inside the transaction that decides.

    The rows name everything but shard and instants.
    """
    last = Decision.objects.aggregate(at=Max("saved_at"))["at"] or 0
    for number, row in enumerate(rows):
        row.saved_at = max(saved_at, last + 1) + number
        row.valid_until = valid_until
        row.relay_shard = partition_for(row.task_id.encode(), RELAY_SHARDS)
    Decision.objects.bulk_create(rows, batch_size=200)
    after_commit(wakeup.wake)


def after_commit(act: Callable[[], None]) -> None:
    """Do this once the transaction has committed; what fails then (a hint, a live row) undoes nothing."""
    transaction.on_commit(act, robust=True)
