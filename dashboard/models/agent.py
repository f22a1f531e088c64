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
    are thinned out first. `arrived` and `started` count tasks since the poll before."""

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

    class Meta:
        indexes = (
            models.Index(fields=["group", "taken_at"], name="snapshot_by_group"),
            models.Index(fields=["grain", "taken_at"], name="snapshot_by_grain"),
        )
