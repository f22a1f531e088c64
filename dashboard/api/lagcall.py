"""API call: the history of a group's lag, as a figure with the numbers in it."""

from typing import Any

from django.db.models import F, Max
from django.http import HttpRequest

from coordination.lag import Limits
from dashboard.api.problems import Problem
from dashboard.api.root import allowed, api
from dashboard.charts import REACHES, LagPoint, lag_figure
from dashboard.clock import database_now
from dashboard.models import ConsumerGroup, GroupSnapshot
from dashboard.permissions import may_see_agents

SECOND = 1_000_000


@api.get("agents/{path:group}/history", tags=["agents"])
@allowed(may_see_agents)
def history(request: HttpRequest, group: str, reach: str = "1h") -> dict[str, Any]:
    """Waiting tasks and the age of the oldest over 15m, 1h, 6h or 24h, as a Plotly figure {data, layout}."""
    if reach not in REACHES:
        raise Problem(400, "bad_query", f"reach={reach} is not known; there are {', '.join(REACHES)}.")
    name = ConsumerGroup.objects.filter(agent_group=group).values_list("group", flat=True).first()
    if name is None:
        raise Problem(404, "not_found", f"No agent group {group} has been seen.")
    span, step = REACHES[reach]
    now = database_now()
    points = lag_points(name, now - span, step)
    return lag_figure(points, begin=now - span, end=now, limit_seconds=Limits().start / SECOND)


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
