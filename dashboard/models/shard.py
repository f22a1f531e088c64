"""Who reads what: workers, leases of shards, positions on the log, gaps in it."""

from django.db import models


class Worker(models.Model):
    """A process that takes shards. It counts while `lease_until` (µs, database clock) lies ahead."""

    worker_id = models.TextField(primary_key=True)
    roles = models.TextField(default="")
    started_at = models.BigIntegerField()
    lease_until = models.BigIntegerField()


class Shard(models.Model):
    """One partition number over all topics of one partition count, for instance `12-7`.

    `epoch` grows by one at each takeover; a transaction that names an older epoch writes nothing.
    """

    shard = models.TextField(primary_key=True)
    owner = models.TextField(default="")
    epoch = models.BigIntegerField(default=0)
    lease_until = models.BigIntegerField(default=0)


class Position(models.Model):
    """The next offset to read of one partition; the rows are exactly what lies before it.

    `last_at`: append time (µs) of the last record read; `end_offset`: the log's end when last asked (`end_at`).
    """

    pk = models.CompositePrimaryKey("topic", "partition")
    topic = models.TextField()
    partition = models.IntegerField()
    next_offset = models.BigIntegerField(default=0)
    shard = models.TextField()
    topic_id = models.TextField(default="")
    last_at = models.BigIntegerField(null=True)
    end_offset = models.BigIntegerField(null=True)
    end_at = models.BigIntegerField(null=True)


class Gap(models.Model):
    """Records that can never be read: the topic was truncated or made anew. Stops its shard until accepted."""

    topic = models.TextField()
    partition = models.IntegerField()
    shard = models.TextField()
    kind = models.TextField()
    expected_offset = models.BigIntegerField()
    begin_offset = models.BigIntegerField(null=True)
    end_offset = models.BigIntegerField(null=True)
    message = models.TextField()
    found_at = models.BigIntegerField()
    accepted_at = models.BigIntegerField(null=True)
    accepted_by = models.TextField(default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["topic", "partition"],
                condition=models.Q(accepted_at__isnull=True),
                name="one_open_gap_a_partition",
            ),
        )
        permissions = (("accept_gap", "Can let ingest go on behind a gap"),)
