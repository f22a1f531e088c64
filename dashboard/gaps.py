"""Accepting a gap: somebody has read what is lost, and lets ingest go on behind it."""

from django.db import transaction
from django.db.models import Max

from dashboard.clock import database_now
from dashboard.models import Batch, Gap, Position, Shard, Stretch


def accept(gap: Gap, by: str) -> bool:
    """Let the shard go on where the log can be read again. False: somebody accepted it before.

    The worker that owns the shard notices by itself within seconds.
    """
    with transaction.atomic():
        Shard.objects.select_for_update().filter(shard=gap.shard).first()
        changed = Gap.objects.filter(pk=gap.pk, accepted_at=None).update(accepted_at=database_now(), accepted_by=by)
        if changed:
            _go_on(gap)
    return bool(changed)


def _go_on(gap: Gap) -> None:
    positions = Position.objects.filter(topic=gap.topic, partition=gap.partition)
    stretches = Stretch.objects.filter(topic=gap.topic, partition=gap.partition)
    if gap.kind == "truncated":
        positions.update(next_offset=gap.begin_offset or 0)
    elif gap.kind == "beyond_end":
        # The log gives the offsets past its end to other records now: those we read there keep their place in
        # their runs, but are not found by position any more.
        end = gap.end_offset or 0
        stretches.filter(first_offset__gte=end).delete()
        stretches.filter(last_offset__gte=end).update(last_offset=end - 1)
        # The offsets from here on mean other records now, so their chain begins anew.
        batch = Batch.objects.aggregate(last=Max("id"))["last"] or 0
        positions.update(next_offset=end, head="", chain_offset=end, chain_batch=batch)
    else:
        # All offsets are given out anew; without a position ingest begins where the log begins.
        stretches.delete()
        positions.delete()
