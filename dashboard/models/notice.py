"""Telling people that something waits for them: how each wants to be told, where else it goes, and what was told."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from dashboard.models.tenancy import OfApproval
from dashboard.models.webhook import Webhook


class NotificationChoice(models.Model):
    """How one person wants to be told. Quiet hours are minutes of their day, from and to; equal: none."""

    class Digest(models.TextChoices):
        AT_ONCE = "at once"
        HOURLY = "hourly"
        DAILY = "daily"

    person = models.OneToOneField(settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE)
    email = models.BooleanField(default=False)
    digest = models.TextField(choices=Digest.choices, default=Digest.AT_ONCE)
    quiet_from = models.IntegerField(default=0)
    quiet_to = models.IntegerField(default=0)
    zone = models.TextField(default="UTC")


class Notice(models.Model):
    """One message about one request to one person by e-mail, or to one webhook; sent once, or dead after its last
    try. `state` waiting, sent, dead, or moot (decided before it was sent). Instants in µs.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        DEAD = "dead"
        MOOT = "moot"

    approval_id = models.TextField()
    version = models.IntegerField()
    kind = models.TextField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE)
    webhook = models.ForeignKey(Webhook, null=True, on_delete=models.CASCADE)
    state = models.TextField(choices=State.choices, default=State.WAITING)
    due_at = models.BigIntegerField()
    made_at = models.BigIntegerField()
    sent_at = models.BigIntegerField(null=True)
    tries = models.IntegerField(default=0)
    error = models.TextField(default="")

    objects = OfApproval["Notice"]()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["approval_id", "version", "kind", "person"],
                condition=Q(person__isnull=False),
                name="one_mail_a_person",
            ),
            models.UniqueConstraint(
                fields=["approval_id", "version", "kind", "webhook"],
                condition=Q(webhook__isnull=False),
                name="one_call_a_webhook",
            ),
        )
        indexes = (models.Index(fields=["state", "due_at"], name="notice_due"),)
