"""How far the compacted state topics follow the tables."""

from django.db import models


class SummaryCursor(models.Model):
    """Summaries of everything in batches up to `batch_id` are on the log; `published` counts them; at in µs."""

    name = models.TextField(primary_key=True)
    batch_id = models.BigIntegerField(default=0)
    published = models.BigIntegerField(default=0)
    at = models.BigIntegerField(default=0)
