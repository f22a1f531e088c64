"""Figures of decisions for Prometheus: by stage, how long each stage took, and what somebody else decided."""

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Count, F, Q, Sum
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from dashboard.api.queue import FOREIGN
from dashboard.models import Decision, Step

SECOND: Final = 1_000_000
BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0)
"""Upper bounds in seconds: a relay that is well takes tenths, an outage minutes."""
STAGES: Final = (("published", "saved_at"), ("applied", "published_at"))


def decision_figures() -> Iterator[Metric]:
    """All of them, read at this moment. Clocks of several machines may disagree: no time is below nought."""
    stages = GaugeMetricFamily("lineside_decisions", "Decisions by the stage they reached.", labels=["stage"])
    found = Decision.objects.values("state").annotate(count=Count("decision_id"))
    counts = {row["state"]: row["count"] for row in found}
    for stage in Decision.State.values:
        stages.add_metric([stage], counts.get(stage, 0))
    yield stages
    spans = HistogramMetricFamily(
        "lineside_decision_seconds", "How long decisions took to a stage, since the one before.", labels=["stage"]
    )
    for stage, begin in STAGES:
        spans.add_metric([stage], *_histogram(stage, begin))
    yield spans
    foreign = Step.objects.filter(step__startswith=FOREIGN).count()
    yield CounterMetricFamily("lineside_foreign_decisions", "Decisions on the log that nobody made here.", foreign)


def _histogram(stage: str, begin: str) -> tuple[list[tuple[str, float]], float]:
    """Counts up to each bound, and the sum in seconds."""
    ended = f"{stage}_at"
    reached = Decision.objects.filter(kind="decision", **{f"{ended}__isnull": False, f"{begin}__isnull": False})
    within: dict[str, Any] = {
        f"within_{number}": Count("pk", filter=Q(**{f"{ended}__lte": F(begin) + round(bound * SECOND)}))
        for number, bound in enumerate(BUCKETS)
    }
    late = Q(**{f"{ended}__gt": F(begin)})
    sums = reached.aggregate(**within, all=Count("pk"), total=Sum(F(ended) - F(begin), filter=late, default=0))
    bounds = [(str(bound), sums[f"within_{number}"]) for number, bound in enumerate(BUCKETS)]
    return [*bounds, ("+Inf", sums["all"])], sums["total"] / SECOND
