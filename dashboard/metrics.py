"""/metrics: figures for Prometheus, read from the tables, so that any web process tells the same of all workers.

For whoever is signed in, or has a token whose scope holds `read`.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, F, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from dashboard.api.health import health_row
from dashboard.api.queue import open_requests
from dashboard.clock import database_now
from dashboard.decisionfigures import decision_figures
from dashboard.live.hub import hub
from dashboard.models import Alert, ApiToken, ConsumerGroup, DeadLetter, Gap, Position, Rejected, Run, Worker
from dashboard.permissions import may_see_figures

SECOND: Final = 1_000_000
BEARER: Final = "Bearer "


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format; 401 without login or token, 403 for whoever may not see all tenants."""
    person = _reader(request)
    if person is None:
        return HttpResponse("Sign in, or send a token with the scope `read`.\n", status=401, content_type="text/plain")
    if not may_see_figures(person):
        return HttpResponse("These figures are of all tenants.\n", status=403, content_type="text/plain")
    registry = CollectorRegistry()
    registry.register(Tables())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _reader(request: HttpRequest) -> Any:
    """Whoever asks; None if they are not signed in and their token is not good for it."""
    given = request.headers.get("Authorization", "")
    if not given.startswith(BEARER):
        return request.user if request.user.is_authenticated else None
    token = ApiToken.objects.find(given.removeprefix(BEARER).strip(), now=database_now())
    if token is None or "read" not in token.scope:
        return None
    request.user = token.user
    return token.user


class Tables(Collector):
    """Reads every figure at the moment it is asked for."""

    def collect(self) -> Iterator[Metric]:
        """All figures."""
        yield from self._ingest()
        yield from self._workers()
        yield from decision_figures()
        yield from self._groups()
        yield from self._alerts()
        yield GaugeMetricFamily("lineside_live_sockets", "Browsers connected to this process.", value=len(hub.viewers))

    def _ingest(self) -> Iterator[Metric]:
        sums = Position.objects.aggregate(
            records=Sum("records", default=0),
            behind=Sum(F("end_offset") - F("next_offset"), filter=Q(end_offset__gt=F("next_offset")), default=0),
        )
        yield CounterMetricFamily("lineside_ingest_records", "Records read into the tables.", value=sums["records"])
        yield GaugeMetricFamily("lineside_ingest_behind_records", "Records not read yet.", value=sums["behind"])
        yield GaugeMetricFamily(
            "lineside_ingest_behind_seconds",
            "How far the tables are behind the log.",
            value=health_row()["behind_seconds"] or 0,
        )
        yield GaugeMetricFamily(
            "lineside_gaps", "Gaps nobody accepted.", value=Gap.objects.filter(accepted_at=None).count()
        )
        yield GaugeMetricFamily(
            "lineside_rejected_records", "Records that are no events.", value=Rejected.objects.count()
        )
        open_letters = DeadLetter.objects.filter(state=DeadLetter.State.OPEN).count()
        yield GaugeMetricFamily("lineside_dead_letters", "Dead letters nobody dealt with.", value=open_letters)

    def _workers(self) -> Iterator[Metric]:
        alive = GaugeMetricFamily("lineside_workers", "Workers alive.", labels=["role"])
        batches = SummaryMetricFamily("lineside_ingest_batch_seconds", "Time to take in a batch.", labels=["worker"])
        counts: dict[str, int] = {}
        for worker in Worker.objects.filter(lease_until__gt=database_now()):
            counts[worker.role] = counts.get(worker.role, 0) + 1
            figures = worker.figures
            if "batches" in figures:
                batches.add_metric([worker.worker_id], figures["batches"], figures["batch_seconds"])
        for role, count in sorted(counts.items()):
            alive.add_metric([role], count)
        yield alive
        yield batches

    def _groups(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("lineside_group_waiting_tasks", "Tasks that wait for a group.", labels=["group"])
        age = GaugeMetricFamily("lineside_group_age_seconds", "Age of the oldest of them.", labels=["group"])
        arrived = GaugeMetricFamily("lineside_group_arrived_per_minute", "Tasks asked for.", labels=["group"])
        started = GaugeMetricFamily("lineside_group_started_per_minute", "Tasks started.", labels=["group"])
        verdict = GaugeMetricFamily("lineside_group_verdict", "1 for its verdict.", labels=["group", "verdict"])
        retention = GaugeMetricFamily(
            "lineside_group_retention_seconds", "Until retention deletes the first waiting record.", labels=["group"]
        )
        for group in ConsumerGroup.objects.exclude(agent_group=""):
            row = msgspec.json.decode(group.body)
            clock = row.get("retention") or {}
            figures = (
                (waiting, group.waiting),
                (age, None if group.age_ms is None else group.age_ms / 1000),
                (arrived, row.get("in_per_minute")),
                (started, row.get("out_per_minute")),
                (retention, clock.get("left_seconds")),
            )
            for family, value in figures:
                # Unknown is not nought: a figure that is not known is left out.
                if value is not None:
                    family.add_metric([group.group], value)
            verdict.add_metric([group.group, group.verdict], 1)
        yield from (waiting, age, arrived, started, verdict, retention)

    def _alerts(self) -> Iterator[Metric]:
        alerts = GaugeMetricFamily("lineside_alerts_open", "Incidents that are open.", labels=["kind", "silenced"])
        found = Alert.objects.filter(closed_at=None).values("kind", "silenced").annotate(count=Count("pk"))
        for each in found.order_by():
            alerts.add_metric([each["kind"], "yes" if each["silenced"] else "no"], each["count"])
        yield alerts
        failed = Run.objects.filter(state="failed").count()
        yield CounterMetricFamily("lineside_runs_failed", "Runs that failed.", value=failed)
        overdue = open_requests().filter(due_at__lt=database_now()).count()
        yield GaugeMetricFamily("lineside_approvals_overdue", "Approvals past their time.", value=overdue)
