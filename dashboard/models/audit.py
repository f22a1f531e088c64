"""The audit trail: entries chained by hash, so that a change or a missing entry shows."""

from django.db import models

from dashboard.models.rowid import RowIdField


class Audit(models.Model):
    """Who did what when. `number` counts without holes, `digest` covers this entry and `previous`; at in µs."""

    number = RowIdField(primary_key=True)
    at = models.BigIntegerField()
    actor = models.TextField()
    act = models.TextField()
    subject = models.TextField(default="")
    detail = models.TextField(default="{}")
    previous = models.TextField()
    digest = models.TextField()

    class Meta:
        indexes = (
            models.Index(fields=["subject"], name="audit_by_subject"),
            models.Index(fields=["at"], name="audit_by_time"),
        )
