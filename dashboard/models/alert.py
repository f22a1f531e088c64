"""Alerts: one row an incident, from when it was seen first until it is over; who is told, and what is kept quiet."""

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q

from dashboard.models.webhook import Webhook

OPEN: Final = Q(closed_at=None)


class Alert(models.Model):
    """One incident. `kind` is stalled, lag, retention, run or approval; `subject` what it is about. Instants in µs.

    `cause` says it in a sentence, `link` is the page where to look; `seen_at` is when it was so last.
    """

    incident_id = models.TextField(primary_key=True)
    kind = models.TextField()
    subject = models.TextField()
    severity = models.TextField(default="warning")
    title = models.TextField()
    cause = models.TextField(default="")
    link = models.TextField(default="")
    tenant = models.TextField(default="")
    opened_at = models.BigIntegerField()
    seen_at = models.BigIntegerField()
    closed_at = models.BigIntegerField(null=True)
    silenced = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kind", "subject"], condition=OPEN, name="one_open_alert_a_subject"),
        )
        indexes = (models.Index(fields=["opened_at"], name="alert_by_time"),)


class Silence(models.Model):
    """Nobody is told of these alerts until `until` (µs): of one subject, or of all of a kind ("" is any)."""

    kind = models.TextField(default="")
    subject = models.TextField(default="")
    at = models.BigIntegerField()
    until = models.BigIntegerField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    reason = models.TextField(default="")


class AlertCall(models.Model):
    """One POST about one alert (`event` opened or closed) to one webhook: sent once, or given up after its last try."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        DEAD = "dead"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE)
    event = models.TextField()
    state = models.TextField(choices=State.choices, default=State.WAITING)
    due_at = models.BigIntegerField()
    tries = models.IntegerField(default=0)
    sent_at = models.BigIntegerField(null=True)
    error = models.TextField(default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["alert", "webhook", "event"], name="one_call_an_alert_and_event"),
        )
        indexes = (models.Index(fields=["due_at"], condition=Q(state="waiting"), name="alert_call_due"),)
