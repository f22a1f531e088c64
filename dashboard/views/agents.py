"""Agents: who is behind, and why? One row a group, worst verdict first; below it the chosen group."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from dashboard.api.groupchanges import changes
from dashboard.api.grouplist import group_rows, whole_group
from dashboard.api.groupwaiting import blocked_by, waiting_by_run
from dashboard.clock import database_now
from dashboard.permissions import may_see_agents, may_see_runs, needs
from dashboard.views.page import page

CHARTS = (("lag", "Lag"), ("flow", "In and out"), ("groups", "All groups"))


@needs(may_see_agents)
def agents(request: HttpRequest) -> HttpResponse:
    """All groups; the worst one is opened below."""
    now = database_now()
    rows = group_rows(now, whole=False)
    return _shown(request, rows, rows[0]["group"] if rows else "", now)


@needs(may_see_agents)
def agent(request: HttpRequest, group: str) -> HttpResponse:
    """All groups, with this one opened."""
    now = database_now()
    rows = group_rows(now, whole=False)
    if not any(row["group"] == group for row in rows):
        raise Http404(f"No agent group {group} has been seen.")
    return _shown(request, rows, group, now)


def _shown(request: HttpRequest, rows: list[dict[str, Any]], group: str, now: int) -> HttpResponse:
    chosen = whole_group(group, now) if group else None
    return page(
        request,
        "agents.html",
        "agents",
        now=now,
        groups=rows,
        chosen=chosen,
        headline=_headline(rows),
        detail=_detail(request, chosen, now) if chosen else {},
        charts=CHARTS,
    )


def _headline(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {
        "waiting": sum(row["waiting"] or 0 for row in rows),
        "groups": len(rows),
        "unknown": sum(row["unknown_partitions"] for row in rows),
        "partitions": sum(row["known_partitions"] for row in rows),
    }


def _detail(request: HttpRequest, chosen: dict[str, Any], now: int) -> dict[str, Any]:
    return {
        "changes": changes(str(chosen["id"]), most=30),
        "waiting": waiting_by_run(chosen, now) if may_see_runs(request.user) else [],
        "blocked": blocked_by(chosen),
    }
