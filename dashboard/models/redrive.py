"""Redrives: dead letters that people ordered to be put back, each followed to its result."""

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet

from dashboard.models.letter import DeadLetter
from dashboard.models.tenancy import OfLetter, visible_tenants


class OfRedrive(models.Manager["Redrive"]):
    """Orders of which somebody may see a letter."""

    def get_queryset(self) -> QuerySet["Redrive"]:
        """All orders, or those with letters in runs of the visible tenants."""
        found = super().get_queryset()
        if visible_tenants() is None:
            return found
        return found.filter(pk__in=RedriveItem.objects.values("redrive_id"))


class Redrive(models.Model):
    """One order: which letters, by whom, why. The same POST again is the same `redrive_id`. Instants are µs."""

    redrive_id = models.TextField(primary_key=True)
    at = models.BigIntegerField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    query = models.TextField(default="")
    reason = models.TextField(default="")
    plan = models.TextField(default="")

    objects = OfRedrive()

    class Meta:
        indexes = (models.Index(fields=["at"], name="redrive_by_time"),)


class RedriveItem(models.Model):
    """One dead letter of a redrive. `decision_id` is its row in the outbox; `topic`, `partition`, `offset` where it
    stands now, once it was read back; `again` the dead letter it became if it failed again.
    """

    class State(models.TextChoices):
        SAVED = "saved"
        PUBLISHED = "published"
        RUNNING = "running"
        DONE = "done"
        PASSED = "passed"
        FAILED = "failed"
        DEAD = "dead again"
        UNDELIVERABLE = "undeliverable"

    redrive = models.ForeignKey(Redrive, on_delete=models.PROTECT)
    letter = models.ForeignKey(DeadLetter, on_delete=models.PROTECT)
    decision_id = models.TextField(unique=True)
    topic = models.TextField()
    partition = models.IntegerField()
    offset = models.BigIntegerField(null=True)
    published_at = models.BigIntegerField(null=True)
    state = models.TextField(choices=State.choices, default=State.SAVED)
    result_at = models.BigIntegerField(null=True)
    result = models.TextField(default="")
    again = models.ForeignKey(DeadLetter, null=True, on_delete=models.PROTECT, related_name="+")

    objects = OfLetter()

    class Meta:
        constraints = (
            # A letter is put back once; only one that never reached the log may be tried by another redrive.
            models.UniqueConstraint(
                fields=["letter"], condition=~Q(state="undeliverable"), name="one_redrive_a_letter"
            ),
        )
        indexes = (
            models.Index(fields=["redrive", "state"], name="redrive_item_by_state"),
            models.Index(
                fields=["id"],
                condition=Q(state__in=("saved", "published", "running")),
                name="redrive_item_open",
            ),
        )
