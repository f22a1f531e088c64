"""Runs: the parts that shards write, and the summary derived from them."""

from django.db import models

from dashboard.models.tenancy import OfRun, OfTenant


class Run(models.Model):
    """One run as lists show it. Derived from its parts after each batch, never a source; instants are µs.

    `counts` is {state: tasks}; `cost` is in millionths of the currency unit; `inferred`: no fact of the run itself
    was read. `first_cause` is the earliest failed task (fields of `coordination.runs.FailedTask`), empty while
    there is none. `revision` is the sum of the parts' revisions, so that a summary that lags behind shows.
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
    cost = models.BigIntegerField(default=0)
    first_cause = models.JSONField(default=dict)
    inferred = models.BooleanField(default=False)
    derived_times = models.BooleanField(default=False)
    revision = models.BigIntegerField(default=0)

    objects = OfTenant["Run"]()
    everybody: "models.Manager[Run]" = models.Manager()
    """All runs, whoever asks."""

    class Meta:
        indexes = (
            models.Index(fields=["first_at"], name="run_by_first"),
            models.Index(fields=["state", "first_at"], name="run_by_state"),
            models.Index(fields=["workflow", "first_at"], name="run_by_workflow"),
            models.Index(fields=["state", "ended_at"], name="run_by_end"),
            models.Index(
                fields=["first_at"], condition=~models.Q(state__in=("completed", "failed", "canceled")), name="run_live"
            ),
        )
        permissions = (
            ("steer_run", "Can cancel, retry and compensate tasks"),
            ("replay_run", "Can export and replay runs"),
            ("prune_run", "Can delete old runs by the stated policy"),
            ("view_all_tenants", "Can see the runs of all tenants"),
            ("view_schemas", "Can see the catalogue of event types"),
            ("view_readiness", "Can see the readiness scorecard"),
            ("answer_readiness", "Can answer for the readiness scorecard"),
            ("manage_policy", "Can change masking and retention"),
        )


class RunPart(models.Model):
    """What one shard knows of a run; `body` is the row of `coordination.runs` as JSON."""

    pk = models.CompositePrimaryKey("run_id", "shard")
    run_id = models.TextField()
    shard = models.TextField()
    revision = models.BigIntegerField()
    body = models.TextField()

    objects = OfRun["RunPart"]()


class FoldPart(models.Model):
    """What one shard knows of a fold (alike tasks of a run); `body` is the row of `coordination.runs`.

    Group and type of its members stand beside it, so that runs are found by them without asking their tasks.
    """

    pk = models.CompositePrimaryKey("run_id", "fold_key", "shard")
    run_id = models.TextField()
    fold_key = models.TextField()
    shard = models.TextField()
    agent_group = models.TextField(default="")
    task_type = models.TextField(default="")
    revision = models.BigIntegerField()
    body = models.TextField()

    objects = OfRun["FoldPart"]()

    class Meta:
        indexes = (
            models.Index(fields=["agent_group", "run_id"], name="fold_by_group"),
            models.Index(fields=["task_type", "run_id"], name="fold_by_type"),
        )
