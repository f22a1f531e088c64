"""Whether the tables are up to date with the log: what may only happen when nothing can be unread asks here."""

from typing import Final

from django.db.models import F, Max, Min, Q

from dashboard.models import Gap, Position, Worker

SECOND: Final = 1_000_000
ASKED: Final = 20 * SECOND
"""How old (µs) the last look at the log's ends may be."""
GRACE: Final = SECOND
"""What was on the log so long (µs) before now must have been read."""


def ingest_fresh(now: int) -> bool:
    """Whether somebody reads, no shard stands still, every end was asked for lately, and all of it was read."""
    if not Worker.objects.filter(role="ingest", lease_until__gt=now).exists():
        return False
    if Gap.objects.filter(accepted_at=None).exists():
        return False
    behind = Q(end_offset__gt=F("next_offset"), end_at__lt=now - GRACE)
    sums = Position.objects.aggregate(asked=Min("end_at"), behind=Max("end_offset", filter=behind))
    return sums["asked"] is not None and sums["asked"] >= now - ASKED and sums["behind"] is None
