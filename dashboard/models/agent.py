"""Agents as they report themselves, and consumer groups as the lag poll found them."""

from django.db import models


class Agent(models.Model):
    """One agent instance; `body` is the row of `coordination.agents` as JSON."""

    pk = models.CompositePrimaryKey("agent_group", "agent_id")
    agent_group = models.TextField()
    agent_id = models.TextField()
    shard = models.TextField(default="")
    last_heartbeat_at = models.BigIntegerField(null=True)
    revision = models.BigIntegerField()
    body = models.TextField()


class GroupSnapshot(models.Model):
    """Commits, ends, state and members of one consumer group at one instant (µs); `body` is JSON."""

    group = models.TextField()
    agent_group = models.TextField(default="")
    taken_at = models.BigIntegerField()
    waiting = models.IntegerField(null=True)
    age_ms = models.BigIntegerField(null=True)
    verdict = models.TextField(default="")
    body = models.TextField()

    class Meta:
        indexes = (
            models.Index(fields=["group", "taken_at"], name="snapshot_by_group"),
            models.Index(fields=["taken_at"], name="snapshot_by_time"),
        )
