"""The audit trail: entries chained by hash, so that a change or a missing entry shows."""

from django.db import models

from dashboard.models.rowid import RowIdField
from dashboard.models.tenancy import OfAll


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

    objects = OfAll["Audit"]()
    chain: "models.Manager[Audit]" = models.Manager()
    """All entries, whoever asks: what is appended must know the entry before it."""

    class Meta:
        indexes = (
            models.Index(fields=["subject"], name="audit_by_subject"),
            models.Index(fields=["at"], name="audit_by_time"),
        )


class AuditHead(models.Model):
    """A head of the chain that stands on the log: up to `number` the trail is anchored outside of this database."""

    number = RowIdField(primary_key=True)
    digest = models.TextField()
    topic = models.TextField()
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    at = models.BigIntegerField()
