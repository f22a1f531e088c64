"""Who reads what: workers, leases of shards, positions on the log, gaps in it."""

from django.db import models


class Worker(models.Model):
    """One role of one process. It counts for the sharing of shards while `lease_until` lies ahead.

    Instants are µs by the database's clock; `figures` are sums since its start, for Prometheus.
    """

    pk = models.CompositePrimaryKey("worker_id", "role")
    worker_id = models.TextField()
    role = models.TextField()
    started_at = models.BigIntegerField()
    lease_until = models.BigIntegerField()
    figures = models.JSONField(default=dict)


class Shard(models.Model):
    """Something that one worker at a time may write: for ingest one partition number over all topics of one
    partition count, for instance `12-7`; other roles name theirs after themselves, for instance `relay:3`.

    `epoch` grows by one at each takeover; a transaction that names an older epoch writes nothing.
    """

    shard = models.TextField(primary_key=True)
    role = models.TextField(default="ingest")
    owner = models.TextField(default="")
    epoch = models.BigIntegerField(default=0)
    lease_until = models.BigIntegerField(default=0)


class Position(models.Model):
    """The next offset to read of one partition; the rows are exactly what lies before it.

    `records` counts those read, `last_at` is the append time (µs) of the last one; `end_offset` is the log's end
    when it was last asked (`end_at`). `head` is the end of the chain over all records since `chain_offset`, which
    lie in batches after `chain_batch` (see `dashboard.recordchain`).
    """

    pk = models.CompositePrimaryKey("topic", "partition")
    topic = models.TextField()
    partition = models.IntegerField()
    next_offset = models.BigIntegerField(default=0)
    records = models.BigIntegerField(default=0)
    shard = models.TextField()
    topic_id = models.TextField(default="")
    last_at = models.BigIntegerField(null=True)
    end_offset = models.BigIntegerField(null=True)
    end_at = models.BigIntegerField(null=True)
    head = models.TextField(default="", db_default="")
    chain_offset = models.BigIntegerField(default=0, db_default=0)
    chain_batch = models.BigIntegerField(default=0, db_default=0)


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
