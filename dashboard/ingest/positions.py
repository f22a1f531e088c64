"""Where to read on: positions by partition, checked against what the log still has.

A position that the log cannot serve is a gap: the topic was truncated before we read it, or made anew. It stops its
shard until somebody accepts it, because going on in silence would show a picture that never was.
"""

import logging
from collections.abc import Mapping

from django.db import connection, transaction
from django.db.models import F, Max

from coordination.eventlog import Ends, TopicPartition
from dashboard.clock import database_now
from dashboard.ingest.store import Store
from dashboard.ingest.survey import Survey
from dashboard.ingest.writing import Fenced
from dashboard.models import Batch, Gap, Position, Shard

log = logging.getLogger(__name__)


def positions(
    seen: Survey, ends: Mapping[TopicPartition, Ends], leases: Mapping[str, int], store: Store
) -> dict[TopicPartition, int]:
    """Where to read on, for the partitions of our shards that have no gap. Raises Fenced.

    A partition that is new to us begins where its log begins now: what retention took before was never promised.
    """
    with transaction.atomic():
        lost = set(leases) - store.lock(leases)
        if lost:
            raise Fenced(lost)
        rows = {TopicPartition(row.topic, row.partition): row for row in Position.objects.all()}
        ours = seen.partitions(leases)
        _begin([partition for partition in ours if partition not in rows], seen, ends)
        for partition in ours:
            if partition in rows:
                _settle(rows[partition], seen, ends.get(partition))
    stopped = set(Gap.objects.filter(accepted_at=None).values_list("shard", flat=True))
    return {
        TopicPartition(row.topic, row.partition): row.next_offset
        for row in Position.objects.filter(shard__in=set(leases) - stopped)
        if row.topic in seen.topics and row.partition < seen.topics[row.topic].partitions
    }


def stored_heads(at: Mapping[TopicPartition, int]) -> dict[TopicPartition, str]:
    """The heads of the chains over the records before these positions, which nobody else moves while they are ours."""
    return {
        TopicPartition(topic, partition): head
        for topic, partition, offset, head in Position.objects.values_list("topic", "partition", "next_offset", "head")
        if at.get(TopicPartition(topic, partition)) == offset
    }


def _begin(partitions: list[TopicPartition], seen: Survey, ends: Mapping[TopicPartition, Ends]) -> None:
    batch = last_batch()
    Position.objects.bulk_create(
        Position(
            topic=partition.topic,
            partition=partition.partition,
            next_offset=ends[partition].begin,
            shard=seen.layout.shard(*partition),
            topic_id=seen.topics[partition.topic].topic_id,
            chain_offset=ends[partition].begin,
            chain_batch=batch,
        )
        for partition in partitions
        if partition in ends
    )


def last_batch() -> int:
    """The last batch there is: what a chain that begins now covers lies in later ones."""
    return Batch.objects.aggregate(last=Max("id"))["last"] or 0


def _settle(row: Position, seen: Survey, ends: Ends | None) -> None:
    """Check a position against the log; move it to its new shard if the topic was given more partitions."""
    shard, topic_id = seen.layout.shard(row.topic, row.partition), seen.topics[row.topic].topic_id
    if row.shard != shard:
        # Whoever owns the old shard still reads this partition: raising the epoch takes the pen out of its hand.
        Shard.objects.filter(shard=row.shard).update(epoch=F("epoch") + 1, owner="", lease_until=0)
        Position.objects.filter(topic=row.topic, partition=row.partition).update(shard=shard)
        row.shard = shard
    if row.topic_id and topic_id and row.topic_id != topic_id:
        open_gap(row, "recreated", ends, "The topic was deleted and made anew.")
    elif ends is not None and row.next_offset < ends.begin:
        lost = ends.begin - row.next_offset
        open_gap(row, "truncated", ends, f"{lost} records were deleted before they were read.")
    elif ends is not None and row.next_offset > ends.high:
        short = row.next_offset - ends.high
        open_gap(row, "beyond_end", ends, f"The log ends {short} records before what was read already.")


def open_gap(row: Position, kind: str, ends: Ends | None, message: str) -> None:
    """Enter a gap, once; the shard stops until it is accepted (see `dashboard.gaps`)."""
    fields = {
        "shard": row.shard,
        "kind": kind,
        "expected_offset": row.next_offset,
        "begin_offset": ends.begin if ends else None,
        "end_offset": ends.high if ends else None,
        "message": message,
        "found_at": database_now(),
    }
    gap, made = Gap.objects.get_or_create(topic=row.topic, partition=row.partition, accepted_at=None, defaults=fields)
    if made:
        log.error("%s-%s stands still at %s: %s", gap.topic, gap.partition, gap.expected_offset, message)


def note_ends(ends: Mapping[TopicPartition, Ends], now: int) -> None:
    """Keep the log's ends as they were at `now` (µs): how far behind we are is read from the tables."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE dashboard_position SET end_offset = %s, end_at = %s WHERE topic = %s AND partition = %s",
            [(end.stable, now, *partition) for partition, end in sorted(ends.items())],
        )


def all_read(ends: Mapping[TopicPartition, Ends]) -> bool:
    """Whether the tables hold everything up to these ends, whichever worker wrote it."""
    reached = {
        (topic, partition): offset
        for topic, partition, offset in Position.objects.values_list("topic", "partition", "next_offset")
    }
    return all(reached.get(partition, 0) >= end.stable for partition, end in ends.items() if end.stable > end.begin)
