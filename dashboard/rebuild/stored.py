"""Stored records in the order in which they were folded: batch by batch, in offset order within each partition."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

from django.db import transaction
from django.db.models import Max

from coordination.eventlog import StoredRecord
from dashboard.models import Batch, Segment, Shard
from dashboard.segments import SEGMENTS_A_BATCH, unpack

PAGE: Final = 500
CHUNK: Final = 20_000
"""Records folded at once: more would save few writes of rows, and hold more rows in memory."""


class _Packed(NamedTuple):
    id: int
    dictionary_id: int
    blob: bytes | memoryview


def settled_batch() -> int:
    """The newest batch, with certainty that every one before it is committed and can be read.

    A worker holds the row of its shard from before it takes a batch's number until its commit, so whoever holds
    the rows of all shards sees no number whose records are still on their way.
    """
    with transaction.atomic():
        list(Shard.objects.select_for_update().filter(role="ingest").order_by("shard"))
        return newest_batch()


def newest_batch() -> int:
    """The highest number of a batch that can be read now; 0 before the first."""
    newest = Batch.objects.aggregate(newest=Max("id"))["newest"]
    return newest or 0


def chunks(after: int, upto: int) -> Iterator[list[StoredRecord]]:
    """The records of the batches after `after` up to `upto`, some twenty thousand at once."""
    chunk: list[StoredRecord] = []
    for _, segments in groupby(_segments(after, upto), key=lambda one: one.id // SEGMENTS_A_BATCH):
        chunk += _in_order(list(segments))
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _in_order(segments: list[_Packed]) -> list[StoredRecord]:
    # A segment holds one run; what runs share (agents, requests) needs the order of the partition.
    records = [record for one in segments for record in unpack(one.dictionary_id, bytes(one.blob))]
    if len(segments) > 1:
        records.sort(key=lambda record: (record.topic, record.partition, record.offset))
    return records


def _segments(after: int, upto: int) -> Iterator[_Packed]:
    """By pages, so that no read stays open for as long as the rebuild takes."""
    last, end = (after + 1) * SEGMENTS_A_BATCH - 1, (upto + 1) * SEGMENTS_A_BATCH
    while True:
        found = Segment.objects.filter(id__gt=last, id__lt=end).order_by("id")
        page = [_Packed(*row) for row in found.values_list("id", "dictionary_id", "blob")[:PAGE]]
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1].id
