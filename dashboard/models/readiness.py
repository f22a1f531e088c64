"""What people answered about this installation, where neither log nor broker can know."""

from django.db import models


class ReadinessAnswer(models.Model):
    """The latest answer to one question of the scorecard; earlier ones are in the audit trail. At in µs."""

    question = models.TextField(primary_key=True)
    score = models.IntegerField()
    reason = models.TextField(default="")
    answered_by = models.TextField()
    at = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.question}: {self.score}"
