"""Joins: what the log said of a fan-out. Its members are the tasks that name it."""

from django.db import models

from dashboard.models.tenancy import OfRun


class FanOut(models.Model):
    """One fan-out and its join; `body` is the row of `coordination.joins` as JSON."""

    pk = models.CompositePrimaryKey("run_id", "fanout_id")
    run_id = models.TextField()
    fanout_id = models.TextField()
    revision = models.BigIntegerField()
    body = models.TextField()

    objects = OfRun["FanOut"]()
