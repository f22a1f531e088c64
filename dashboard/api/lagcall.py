"""API calls: the history of lag as figures with the numbers in them: of one group, and of all."""

from typing import Any, Literal

from django.db.models import Avg, F, Max
from django.http import HttpRequest

from coordination.lag import Limits
from dashboard.api.problems import Problem
from dashboard.api.root import allowed, api
from dashboard.charts import REACHES, LagPoint, lag_figure
from dashboard.clock import database_now
from dashboard.flowcharts import FlowPoint, flow_figure, groups_figure
from dashboard.models import ConsumerGroup, GroupSnapshot
from dashboard.permissions import may_see_agents

SECOND = 1_000_000


@api.get("agents/history", tags=["agents"])
@allowed(may_see_agents)
def history_of_all(request: HttpRequest, reach: str = "1h") -> dict[str, Any]:
    """Waiting tasks of the ten groups that had most, and of the rest together, as a Plotly figure {data, layout}."""
    span, step = _reach(reach)
    now = database_now()
    names = dict(ConsumerGroup.objects.exclude(agent_group="").values_list("group", "agent_group"))
    found = (
        GroupSnapshot.objects.filter(group__in=list(names), taken_at__gte=now - span)
        .annotate(bucket=F("taken_at") / step)
        .values_list("group", "bucket")
        .annotate(Max("waiting"))
    )
    series: dict[str, dict[int, int | None]] = {}
    for group, bucket, waiting in found:
        series.setdefault(names[group], {})[int(bucket) * step] = waiting
    return groups_figure(series, begin=now - span, end=now)


def _reach(reach: str) -> tuple[int, int]:
    if reach not in REACHES:
        raise Problem(400, "bad_query", f"reach={reach} is not known; there are {', '.join(REACHES)}.")
    return REACHES[reach]


@api.get("agents/{path:group}/history", tags=["agents"])
@allowed(may_see_agents)
def history(request: HttpRequest, group: str, reach: str = "1h", of: Literal["lag", "flow"] = "lag") -> dict[str, Any]:
    """Waiting tasks and the age of the oldest over 15m, 1h, 6h or 24h, or (`of=flow`) tasks asked for and started a
    minute, as a Plotly figure {data, layout}."""
    span, step = _reach(reach)
    name = ConsumerGroup.objects.filter(agent_group=group).values_list("group", flat=True).first()
    if name is None:
        raise Problem(404, "not_found", f"No agent group {group} has been seen.")
    now = database_now()
    if of == "flow":
        return flow_figure(flow_points(name, now - span, step), begin=now - span, end=now)
    points = lag_points(name, now - span, step)
    return lag_figure(points, begin=now - span, end=now, limit_seconds=Limits().start / SECOND)


def flow_points(group: str, since: int, step: int) -> list[FlowPoint]:
    """Tasks asked for and started a minute, the mean of each step; one query. A snapshot counts its last minute."""
    found = (
        GroupSnapshot.objects.filter(group=group, taken_at__gte=since)
        .annotate(bucket=F("taken_at") / step)
        .values_list("bucket")
        .annotate(Max("taken_at"), Avg("arrived"), Avg("started"))
        .order_by("bucket")
    )
    return [FlowPoint(at, arrived, started) for _, at, arrived, started in found]


def lag_points(group: str, since: int, step: int) -> list[LagPoint]:
    """The history of a consumer group since an instant (µs), the worst of each step; one query."""
    found = (
        GroupSnapshot.objects.filter(group=group, taken_at__gte=since)
        .annotate(bucket=F("taken_at") / step)
        .values_list("bucket")
        .annotate(Max("taken_at"), Max("waiting"), Max("age_ms"))
        .order_by("bucket")
    )
    return [LagPoint(at, waiting, None if age is None else age / 1000) for _, at, waiting, age in found]
