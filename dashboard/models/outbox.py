"""The outbox: what people decided, with its final bytes, until the relay has put it on the log and read it back."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from dashboard.models.tenancy import OfRun


class Decision(models.Model):
    """One decision (or act) on its way to the log. The same POST again is the same `decision_id`.

    `records` is msgpack of the NewRecords to append, in order, partitions fixed; `positions` where they stand
    after read-back ([[topic, partition, offset, at µs], …]); `tried_from` the log's ends before the first try.
    `held_until` is the undo window, `valid_until` the instant after which it is not sent any more.
    """

    class State(models.TextChoices):
        SAVED = "saved"
        PUBLISHED = "published"
        APPLIED = "applied"
        REFUSED = "refused"
        LATE = "late"
        UNDONE = "undone"
        UNDELIVERABLE = "undeliverable"

    decision_id = models.TextField(primary_key=True)
    kind = models.TextField(default="decision")
    approval_id = models.TextField(default="")
    version = models.IntegerField(default=0)
    round = models.IntegerField(default=1)
    run_id = models.TextField(default="")
    task_id = models.TextField(default="")
    relay_shard = models.IntegerField(default=0)
    verdict = models.TextField(default="")
    provenance = models.JSONField(default=dict)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT)
    records = models.BinaryField()
    state = models.TextField(choices=State.choices, default=State.SAVED)
    saved_at = models.BigIntegerField()
    held_until = models.BigIntegerField(default=0)
    valid_until = models.BigIntegerField(null=True)
    tried_at = models.BigIntegerField(null=True)
    tried_from = models.JSONField(default=dict)
    error = models.TextField(default="")
    positions = models.JSONField(default=list)
    published_at = models.BigIntegerField(null=True)
    applied_at = models.BigIntegerField(null=True)
    refused_at = models.BigIntegerField(null=True)
    refused_reason = models.TextField(default="")

    objects = OfRun["Decision"]()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["approval_id", "version"],
                condition=Q(kind="decision") & ~Q(state="undone"),
                name="one_decision_a_version",
            ),
        )
        indexes = (
            models.Index(fields=["state", "relay_shard", "saved_at"], name="decision_unsent"),
            models.Index(fields=["run_id", "task_id"], name="decision_by_task"),
            models.Index(fields=["approval_id"], name="decision_by_approval"),
        )


class Answer(models.Model):
    """The first answer to an Idempotency-Key, given again to whoever repeats the request."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.TextField()
    fingerprint = models.TextField()
    status = models.IntegerField()
    body = models.JSONField()
    at = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["person", "key"], name="one_answer_a_key"),)
