"""Stored records: segments of one batch and run, and the two small tables that find a record in them.

A row per event would be four fifths of the disk and two fifths of the time. A segment is a compressed list of
the records themselves, byte for byte; read them through `dashboard.events`.
"""

from django.db import models

from dashboard.models.rowid import RowIdField
from dashboard.models.tenancy import OfAll, OfRun


class Dictionary(models.Model):
    """A zstd dictionary that segments were compressed with; without it they cannot be read.

    `id` is made of the content's SHA-256, so that one id never means two contents.
    """

    id = RowIdField(primary_key=True)
    content = models.BinaryField()


class Batch(models.Model):
    """One transaction of ingest. Ids only grow; `read_at` in µs is bookkeeping, never part of a picture."""

    worker = models.TextField()
    read_at = models.BigIntegerField()
    records = models.IntegerField()


class Segment(models.Model):
    """The records of one run in one batch. `id` is the batch's id × 65536 + number in the batch.

    Records of no run have run_id "". `blob` is zstd of msgpack of [StoredRecord, …] in the order read.
    `first_at` and `last_at` (µs) are the ends of the events' instants; `tasks` has one bit for each task in it
    (see `dashboard.segments.task_bit`), so that a task's records are found without reading the whole run.
    """

    id = RowIdField(primary_key=True)
    run_id = models.TextField()
    first_at = models.BigIntegerField()
    last_at = models.BigIntegerField()
    records = models.IntegerField()
    tasks = models.BigIntegerField()
    dictionary_id = models.BigIntegerField()
    blob = models.BinaryField()

    objects = OfRun["Segment"]()

    class Meta:
        indexes = (models.Index(fields=["run_id"], name="segment_by_run"),)
        permissions = (("unmask_segment", "Can see what masking hides in payloads"),)


class Stretch(models.Model):
    """Offsets first…last of one partition were stored by this batch: finds a record by its position."""

    pk = models.CompositePrimaryKey("topic", "partition", "first_offset")
    topic = models.TextField()
    partition = models.IntegerField()
    first_offset = models.BigIntegerField()
    last_offset = models.BigIntegerField()
    batch_id = models.BigIntegerField()


class EventKey(models.Model):
    """An event seen on a partition: 64-bit hash of (topic, partition, source, id) and its offset there.

    A hit is only a suspicion: the stored record at that offset is compared before an event is dropped.
    """

    key = RowIdField(primary_key=True)
    offset = models.BigIntegerField()


class Duplicate(models.Model):
    """A record that repeats an event of its partition: kept, counted, not folded. `of_offset` was the first."""

    pk = models.CompositePrimaryKey("topic", "partition", "offset")
    topic = models.TextField()
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    of_offset = models.BigIntegerField()
    at = models.BigIntegerField()
    record = models.BinaryField()

    objects = OfAll["Duplicate"]()


class PrunedRecords(models.Model):
    """What is left of stored records that were deleted: `digests` is msgpack of [[offset, SHA-256], …].

    With it the chain over the records of a partition can still be computed from end to end (`dashboard.recordchain`).
    """

    topic = models.TextField()
    partition = models.IntegerField()
    batch_id = models.BigIntegerField()
    digests = models.BinaryField()

    class Meta:
        indexes = (models.Index(fields=["batch_id"], name="pruned_by_batch"),)


class TypeCount(models.Model):
    """How many records of an event type were read, per version of its data and per shard, which one worker writes.

    `version` is what the data schema names (`1.0`), empty where it names none. `records` were read as events,
    `rejected` were not; instants in µs.
    """

    pk = models.CompositePrimaryKey("type", "version", "shard")
    type = models.TextField()
    version = models.TextField()
    shard = models.TextField()
    records = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    first_at = models.BigIntegerField()
    last_at = models.BigIntegerField()
