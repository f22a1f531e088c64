"""Records that went wrong: those we could not read, and those agents gave up on."""

from django.db import models

from dashboard.models.tenancy import OfAll, OfRun


class Rejected(models.Model):
    """A record that is no event; `record` is msgpack of the StoredRecord, byte for byte."""

    topic = models.TextField()
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    at = models.BigIntegerField()
    stage = models.TextField()
    attribute = models.TextField(default="")
    reason = models.TextField()
    fingerprint = models.TextField(default="")
    record = models.BinaryField()

    objects = OfAll["Rejected"]()

    class Meta:
        # Not unique: a topic made anew begins its offsets again, and what was rejected before stays.
        indexes = (
            models.Index(fields=["topic", "partition", "offset"], name="rejected_position"),
            models.Index(fields=["at"], name="rejected_by_time"),
            models.Index(fields=["fingerprint", "at"], name="rejected_by_error"),
        )


class DeadLetter(models.Model):
    """A record of a `dlq.*` topic, with what its headers say of the failure; `record` as in Rejected.

    Its position is its identity: a redriven record that fails again is another dead letter.
    """

    class State(models.TextChoices):
        OPEN = "open"
        REDRIVEN = "redriven"
        DISCARDED = "discarded"

    topic = models.TextField()
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    at = models.BigIntegerField()
    run_id = models.TextField(default="")
    task_id = models.TextField(default="")
    event_id = models.TextField(default="")
    source = models.TextField(default="")
    event_name = models.TextField(default="")
    agent_group = models.TextField(default="")
    origin_topic = models.TextField(default="")
    origin_partition = models.IntegerField(null=True)
    origin_offset = models.BigIntegerField(null=True)
    deliveries = models.IntegerField(null=True)
    stage = models.TextField(default="")
    code = models.TextField(default="")
    exception = models.TextField(default="")
    message = models.TextField(default="")
    retryable = models.BooleanField(null=True)
    redrives = models.IntegerField(default=0)
    fingerprint = models.TextField(default="")
    state = models.TextField(choices=State.choices, default=State.OPEN)
    resolved_at = models.BigIntegerField(null=True)
    resolved_by = models.TextField(default="")
    record = models.BinaryField()

    objects = OfRun["DeadLetter"]()

    class Meta:
        indexes = (
            models.Index(fields=["topic", "partition", "offset"], name="dead_letter_position"),
            models.Index(fields=["run_id", "task_id"], name="dead_letter_by_task"),
            models.Index(fields=["state", "at"], name="dead_letter_by_state"),
            models.Index(fields=["agent_group", "at"], name="dead_letter_by_group"),
            models.Index(fields=["at"], name="dead_letter_by_time"),
            models.Index(fields=["fingerprint", "state"], name="dead_letter_by_error"),
            models.Index(
                fields=["origin_topic", "origin_partition", "origin_offset"],
                condition=models.Q(redrives__gt=0),
                name="dead_letter_again",
            ),
        )
        permissions = (("redrive_deadletter", "Can redrive and discard dead letters"),)
