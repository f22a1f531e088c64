"""Agents: who is behind, and why? One row a group, worst verdict first; below it the chosen group."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from dashboard.api.grouplist import group_rows
from dashboard.clock import database_now
from dashboard.permissions import may_see_agents, needs
from dashboard.views.page import page


@needs(may_see_agents)
def agents(request: HttpRequest) -> HttpResponse:
    """All groups; the worst one is opened below."""
    now = database_now()
    rows = group_rows(now)
    return _shown(request, rows, rows[0] if rows else None, now)


@needs(may_see_agents)
def agent(request: HttpRequest, group: str) -> HttpResponse:
    """All groups, with this one opened."""
    now = database_now()
    rows = group_rows(now)
    chosen = next((row for row in rows if row["group"] == group), None)
    if chosen is None:
        raise Http404(f"No agent group {group} has been seen.")
    return _shown(request, rows, chosen, now)


def _shown(request: HttpRequest, rows: list[dict[str, Any]], chosen: dict[str, Any] | None, now: int) -> HttpResponse:
    waiting = sum(row["waiting"] or 0 for row in rows)
    partitions = [part for row in rows for part in row["partitions"]]
    unknown = sum(part["waiting"] is None for part in partitions)
    return page(
        request,
        "agents.html",
        "agents",
        now=now,
        groups=rows,
        chosen=chosen,
        headline={"waiting": waiting, "groups": len(rows), "unknown": unknown, "partitions": len(partitions)},
    )
