"""Policies people state: what is masked in payloads, how long runs are kept. Each change is in the audit trail."""

from django.db import models


class Policy(models.Model):
    """One policy by its name; `value` is JSON as `dashboard.masking` and `dashboard.pruning` define it; at in µs."""

    name = models.TextField(primary_key=True)
    value = models.JSONField()
    changed_at = models.BigIntegerField()
    changed_by = models.TextField()

    def __str__(self) -> str:
        return self.name
