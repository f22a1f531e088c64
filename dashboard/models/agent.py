"""Agents as they report themselves, and consumer groups as the lag poll found them."""

from django.db import models


class Agent(models.Model):
    """One agent instance; `body` is the row of `coordination.agents` as JSON."""

    pk = models.CompositePrimaryKey("agent_group", "agent_id")
    agent_group = models.TextField()
    agent_id = models.TextField()
    last_heartbeat_at = models.BigIntegerField(null=True)
    revision = models.BigIntegerField()
    body = models.TextField()


class ConsumerGroup(models.Model):
    """One consumer group as the last poll found it; `body` is the row of the agents page as JSON."""

    group = models.TextField(primary_key=True)
    agent_group = models.TextField(default="")
    taken_at = models.BigIntegerField()
    verdict = models.TextField(default="")
    waiting = models.IntegerField(null=True)
    age_ms = models.BigIntegerField(null=True)
    revision = models.BigIntegerField(default=0)
    body = models.TextField()


class GroupSnapshot(models.Model):
    """The figures of one consumer group at one instant (µs), for charts and for judging change over time.

    `grain` is what the snapshot stands for: 0 one poll, 1 its minute, 2 its quarter of an hour; the finer ones
    are thinned out first. `arrived` and `started` count tasks of the last minute before. `commits` is msgpack of
    {topic: {partition: commit}}: between two snapshots the group passed what lies between two commits."""

    group = models.TextField()
    taken_at = models.BigIntegerField()
    grain = models.IntegerField(default=0)
    waiting = models.IntegerField(null=True)
    age_ms = models.BigIntegerField(null=True)
    running = models.IntegerField(default=0)
    members = models.IntegerField(null=True)
    generation = models.IntegerField(null=True)
    verdict = models.TextField(default="")
    arrived = models.BigIntegerField(default=0)
    started = models.BigIntegerField(default=0)
    commits = models.BinaryField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["group", "taken_at"], name="snapshot_by_group"),
            models.Index(fields=["grain", "taken_at"], name="snapshot_by_grain"),
        )


class GroupChange(models.Model):
    """Something about a consumer group that was otherwise at the poll before (`seen_at`, `before_at` in µs).

    `kind` is member (joined or left), moved (a partition changed hands), generation, state or commit (moved back);
    `text` says it in words.
    """

    group = models.TextField()
    seen_at = models.BigIntegerField()
    before_at = models.BigIntegerField()
    kind = models.TextField()
    text = models.TextField()
    generation = models.IntegerField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["group", "seen_at"], name="group_change_by_group"),
            models.Index(fields=["seen_at"], name="group_change_by_time"),
        )


class BrokerTopic(models.Model):
    """One topic as the log told of it, last at `taken_at` (µs). `config` null: the right to read it is missing;
    `rights` what we may do with it, null where that is not told; `records` how many offsets are kept; `made_after`:
    the last instant at which there was another topic of this name, null if none was ever seen.
    """

    topic = models.TextField(primary_key=True)
    taken_at = models.BigIntegerField()
    partitions = models.IntegerField()
    replication = models.IntegerField()
    topic_id = models.TextField(default="")
    made_after = models.BigIntegerField(null=True)
    config = models.JSONField(null=True)
    rights = models.JSONField(null=True)
    records = models.BigIntegerField(null=True)
