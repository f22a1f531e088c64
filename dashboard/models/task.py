"""Tasks: the columns that lists and judgements ask for, and the whole row beside them."""

from django.db import models
from django.db.models import Q

from dashboard.models.body import BodyField
from dashboard.models.tenancy import OfRun


class Task(models.Model):
    """One task; `body` is the row of `coordination.tasks` as JSON. Instants are µs, missing ones null.

    `command_*` is where its command lies: what waits before a group is a question about these columns.
    """

    pk = models.CompositePrimaryKey("run_id", "task_id")
    run_id = models.TextField()
    task_id = models.TextField()
    shard = models.TextField()
    tenant = models.TextField(default="default")
    state = models.TextField()
    task_type = models.TextField(default="")
    title = models.TextField(default="")
    agent_group = models.TextField(default="")
    agent_id = models.TextField(default="")
    fold_key = models.TextField(default="")
    parent_task_id = models.TextField(default="")
    fanout_id = models.TextField(default="")
    fanout_index = models.IntegerField(null=True)
    retry_of = models.TextField(default="")
    attempt = models.IntegerField(default=0)
    requested_at = models.BigIntegerField(null=True)
    started_at = models.BigIntegerField(null=True)
    ended_at = models.BigIntegerField(null=True)
    command_topic = models.TextField(default="")
    command_partition = models.IntegerField(null=True)
    command_offset = models.BigIntegerField(null=True)
    error_fingerprint = models.TextField(default="")
    revision = models.BigIntegerField()
    body = BodyField()

    objects = OfRun["Task"]()

    class Meta:
        # Partial where most tasks have no value: an index entry holds the run's id, so each one costs.
        indexes = (
            models.Index(fields=["run_id", "fold_key", "state"], name="task_by_fold"),
            models.Index(fields=["run_id", "state", "task_id"], name="task_by_state"),
            models.Index(fields=["run_id", "fanout_id"], condition=~Q(fanout_id=""), name="task_by_fanout"),
            models.Index(fields=["run_id", "parent_task_id"], condition=~Q(parent_task_id=""), name="task_by_parent"),
            models.Index(
                fields=["agent_group", "state", "command_partition", "command_offset"],
                condition=Q(ended_at=None),
                name="task_open_by_group",
            ),
            models.Index(fields=["command_partition", "command_offset"], name="task_by_command"),
            models.Index(
                fields=["agent_group", "started_at"], condition=Q(started_at__isnull=False), name="task_by_start"
            ),
            models.Index(fields=["error_fingerprint"], condition=~Q(error_fingerprint=""), name="task_by_error"),
            models.Index(fields=["task_id"], name="task_by_id"),
            models.Index(fields=["run_id", "retry_of"], condition=~Q(retry_of=""), name="task_by_retry"),
        )
