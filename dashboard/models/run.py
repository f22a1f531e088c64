"""Runs: the parts that shards write, and the summary derived from them."""

from django.db import models


class Run(models.Model):
    """One run as lists show it. Derived from its parts after each batch, never a source; instants are µs.

    `counts` is {state: tasks}; `first_cause` names the earliest failure, empty while there is none.
    """

    run_id = models.TextField(primary_key=True)
    tenant = models.TextField(default="default")
    name = models.TextField(default="")
    workflow = models.TextField(default="")
    state = models.TextField(default="")
    started_at = models.BigIntegerField(null=True)
    ended_at = models.BigIntegerField(null=True)
    first_at = models.BigIntegerField(null=True)
    last_at = models.BigIntegerField(null=True)
    counts = models.JSONField(default=dict)
    total = models.IntegerField(default=0)
    events = models.BigIntegerField(default=0)
    tokens = models.BigIntegerField(default=0)
    cost = models.TextField(default="")
    first_cause = models.JSONField(default=dict)
    revision = models.BigIntegerField(default=0)

    class Meta:
        indexes = (
            models.Index(fields=["first_at"], name="run_by_first"),
            models.Index(fields=["state", "first_at"], name="run_by_state"),
        )
        permissions = (
            ("steer_run", "Can cancel, retry and compensate tasks"),
            ("replay_run", "Can export and replay runs"),
        )


class RunPart(models.Model):
    """What one shard knows of a run; `body` is the row of `coordination.runs` as JSON."""

    pk = models.CompositePrimaryKey("run_id", "shard")
    run_id = models.TextField()
    shard = models.TextField()
    revision = models.BigIntegerField()
    body = models.TextField()


class FoldPart(models.Model):
    """What one shard knows of a fold (alike tasks of a run); `body` is the row of `coordination.runs`."""

    pk = models.CompositePrimaryKey("run_id", "fold_key", "shard")
    run_id = models.TextField()
    fold_key = models.TextField()
    shard = models.TextField()
    revision = models.BigIntegerField()
    body = models.TextField()
