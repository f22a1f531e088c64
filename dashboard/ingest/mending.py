"""Summaries left behind: where they are written in a transaction of their own, right after that of the batch, a
worker may die or lose the database in between. Then a run would be shown as it was before its last batch, for ever
if that was the run's end. So whoever begins to read derives the summaries of the last batch of each worker anew.
"""

from collections import defaultdict
from typing import Final

from django.db import transaction
from django.db.models import Max, Q

from coordination.runs import RunPart
from dashboard.ingest.store import Store
from dashboard.ingest.summary import run_values
from dashboard.models import Batch, Segment
from dashboard.segments import SEGMENTS_A_BATCH

RECENT: Final = 20_000
"""Batches to look back: many times as many as are written until the leases of a dead worker are over."""


def mend(store: Store) -> int:
    """Derive the summaries of the runs in the last batch of each recent worker; returns how many runs they were."""
    run_ids = _last_runs()
    if not run_ids:
        return 0
    parts: dict[str, list[RunPart]] = defaultdict(list)
    with transaction.atomic():
        for part in store.load_parts(run_ids):
            parts[part.run_id].append(part)
        store.save_runs([run_values(parts[run_id]) for run_id in sorted(parts)])
        store.settle()
    return len(parts)


def _last_runs() -> list[str]:
    newest = Batch.objects.aggregate(newest=Max("pk"))["newest"]
    if newest is None:
        return []
    recent = Batch.objects.filter(pk__gt=newest - RECENT).order_by().values("worker").annotate(last=Max("pk"))
    within = Q(pk__in=[])
    for last in recent.values_list("last", flat=True):
        within |= Q(pk__gte=last * SEGMENTS_A_BATCH, pk__lt=(last + 1) * SEGMENTS_A_BATCH)
    return sorted(set(Segment.objects.filter(within).exclude(run_id="").values_list("run_id", flat=True)))
