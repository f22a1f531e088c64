"""Rules that decide by themselves: each version as it was written, and the switch that stops them all."""

from django.db import models
from django.db.models import Q


class ApprovalRule(models.Model):
    """One version of a rule; `terms` is `coordination.policyrules.Terms` as JSON, written once. Instants in µs.

    A draft does nothing. Of the versions of one name at most one is active; it ends at `expires_at`, when it is
    stopped, or when another version takes its place.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        ACTIVE = "active"
        REPLACED = "replaced"
        STOPPED = "stopped"

    name = models.TextField()
    version = models.IntegerField()
    terms = models.JSONField()
    state = models.TextField(choices=State.choices, default=State.DRAFT)
    expires_at = models.BigIntegerField()
    created_at = models.BigIntegerField()
    created_by = models.TextField()
    activated_at = models.BigIntegerField(null=True)
    activated_by = models.TextField(default="")
    ended_at = models.BigIntegerField(null=True)
    ended_by = models.TextField(default="")
    dry_run = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["name", "version"], name="one_rule_a_version"),
            models.UniqueConstraint(fields=["name"], condition=Q(state="active"), name="one_active_rule_a_name"),
        )

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"


class KillSwitch(models.Model):
    """Whether automatic decisions are stopped, all of them; who threw the switch, when (µs) and why."""

    name = models.TextField(primary_key=True, default="approvals")
    thrown = models.BooleanField(default=False)
    by = models.TextField(default="")
    at = models.BigIntegerField(default=0)
    reason = models.TextField(default="")
