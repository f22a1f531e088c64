"""Approvals: what agents asked (written by ingest), and what people and timers did (written by everyone else)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from dashboard.models.tenancy import OfApproval, OfRun


class Request(models.Model):
    """What the log says of a request for approval; `body` is the row of `coordination.requests` as JSON."""

    approval_id = models.TextField(primary_key=True)
    run_id = models.TextField()
    task_id = models.TextField()
    agent_group = models.TextField(default="")
    version = models.IntegerField()
    content_hash = models.TextField(default="")
    state = models.TextField(default="")
    requested_at = models.BigIntegerField(null=True)
    due_at = models.BigIntegerField(null=True)
    expires_at = models.BigIntegerField(null=True)
    revision = models.BigIntegerField()
    body = models.TextField()

    objects = OfRun["Request"]()

    class Meta:
        indexes = (
            models.Index(fields=["run_id", "task_id"], name="request_by_task"),
            models.Index(fields=["state", "due_at"], name="request_by_due"),
        )


class Approval(models.Model):
    """What people and timers did to a request, under this row's lock. `round` grows when a decision is undone.

    `version` and `content_hash` are those the state belongs to; a higher version in the request voids it. `blocks`
    is how many tasks wait for the one that asks, None while it is not known.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        GRANTED = "granted"
        DENIED = "denied"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"

    approval_id = models.TextField(primary_key=True)
    tenant = models.TextField(default="default")
    run_id = models.TextField(default="")
    task_id = models.TextField(default="")
    agent_group = models.TextField(default="")
    version = models.IntegerField()
    content_hash = models.TextField(default="")
    round = models.IntegerField(default=1)
    state = models.TextField(choices=State.choices, default=State.PENDING)
    reason = models.TextField(default="")
    risk = models.TextField(default="")
    decided_at = models.BigIntegerField(null=True)
    decided_by = models.TextField(default="")
    first_viewed_at = models.BigIntegerField(null=True)
    deferred_until = models.BigIntegerField(null=True)
    escalated_at = models.BigIntegerField(null=True)
    escalated_to = models.TextField(default="")
    due_at = models.BigIntegerField(null=True)
    expires_at = models.BigIntegerField(null=True)
    blocks = models.IntegerField(null=True)
    revision = models.BigIntegerField(default=0)

    objects = OfRun["Approval"]()

    class Meta:
        indexes = (
            models.Index(fields=["state", "due_at"], name="approval_by_due"),
            models.Index(fields=["state", "expires_at"], name="approval_by_expiry"),
            models.Index(fields=["run_id", "task_id"], name="approval_by_task"),
        )
        permissions = (
            ("decide_approval", "Can vote on approvals"),
            ("view_oversight", "Can see oversight figures"),
        )


class Vote(models.Model):
    """One person's vote on one version in one round; a vote that lost is kept as a note (`counts` false)."""

    approval_id = models.TextField()
    version = models.IntegerField()
    round = models.IntegerField(default=1)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    verdict = models.TextField()
    comment = models.TextField(default="")
    args = models.JSONField(null=True)
    args_hash = models.TextField(default="")
    counts = models.BooleanField(default=True)
    note = models.TextField(default="")
    opened_payload = models.BooleanField(default=False)
    dwell_ms = models.BigIntegerField(null=True)
    at = models.BigIntegerField()

    objects = OfApproval["Vote"]()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["approval_id", "version", "round", "person"],
                condition=Q(counts=True),
                name="one_vote_a_person",
            ),
        )


class Step(models.Model):
    """A timer's step that was taken (warn, escalate, expire): each once for an approval's version."""

    approval_id = models.TextField()
    version = models.IntegerField()
    step = models.TextField()
    at = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["approval_id", "version", "step"], name="one_step_once"),)


class Claim(models.Model):
    """Somebody looks at this request until `until` (µs): a lease that others see, not a lock."""

    approval_id = models.TextField(primary_key=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    since = models.BigIntegerField()
    until = models.BigIntegerField()

    objects = OfApproval["Claim"]()
