"""Webhooks: addresses that are told by signed POSTs, and of what."""

from django.db import models


class Webhook(models.Model):
    """An address that is told of requests for approval, of alerts, or of both, by signed POSTs; the secret is shared
    with whoever listens there."""

    name = models.TextField(unique=True)
    url = models.URLField(max_length=500)
    secret = models.TextField()
    active = models.BooleanField(default=True)
    requests = models.BooleanField(default=True, verbose_name="told of requests for approval")
    alerts = models.BooleanField(default=True, verbose_name="told of alerts")

    def __str__(self) -> str:
        return self.name
