"""Stored records: segments of one batch and run, and the two small tables that find a record in them.

A row per event would be four fifths of the disk and two fifths of the time. A segment is a compressed list of
the records themselves, byte for byte; read them through `dashboard.events`.
"""

from django.db import models

from dashboard.models.rowid import RowIdField


class Dictionary(models.Model):
    """A zstd dictionary that segments were compressed with; without it they cannot be read."""

    content = models.BinaryField()
    made_at = models.BigIntegerField()


class Batch(models.Model):
    """One transaction of ingest. Ids only grow; `read_at` in µs is bookkeeping, never part of a picture."""

    shard = models.TextField()
    read_at = models.BigIntegerField()
    count = models.IntegerField()


class Segment(models.Model):
    """The records of one run in one batch. `id` is the batch's id × 65536 + number in the batch.

    Records of no run have run_id "". `blob` is zstd of msgpack of [StoredRecord, …] in the order read.
    """

    id = RowIdField(primary_key=True)
    run_id = models.TextField()
    shard = models.TextField()
    first_at = models.BigIntegerField()
    last_at = models.BigIntegerField()
    count = models.IntegerField()
    dictionary_id = models.IntegerField()
    blob = models.BinaryField()

    class Meta:
        indexes = (models.Index(fields=["run_id", "shard"], name="segment_by_run"),)


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
