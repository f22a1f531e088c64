"""The board: live runs newest first, what holds each, the agents' strip, open approvals. And the list of all runs."""

from typing import Final

from django.http import HttpRequest, HttpResponse

from dashboard.api.grouplist import group_rows
from dashboard.api.paging import EMPTY, PAGE
from dashboard.api.queue import decided_rows, open_count, open_rows, urgency
from dashboard.api.runlist import figures, run_page
from dashboard.clock import database_now
from dashboard.permissions import may_see_agents, may_see_approvals, may_see_runs, needs
from dashboard.views.page import asked, page

DAY: Final = 86_400_000_000
STRIP: Final = 8
ASKS: Final = 8


@needs(may_see_runs)
def board(request: HttpRequest) -> HttpResponse:
    """What is going on, and what needs me?"""
    now = database_now()
    query = request.GET.get("query", "")
    runs, wrong = asked(query, lambda: run_page(query, None, PAGE, now), EMPTY)
    asks = open_rows(now) if may_see_approvals(request.user) else []
    groups = group_rows(now, whole=False) if may_see_agents(request.user) else []
    return page(
        request,
        "board.html",
        "board",
        now=now,
        query=query,
        wrong=wrong,
        runs=runs,
        figures=figures(now - now % DAY),
        groups=groups[:STRIP],
        more_groups=max(0, len(groups) - STRIP),
        asks=asks[:ASKS],
        open_asks=open_count() if asks else 0,
        urgency=urgency(asks, now),
        decided=decided_rows(now) if may_see_approvals(request.user) else [],
        may_see_approvals=may_see_approvals(request.user),
        may_see_agents=may_see_agents(request.user),
    )


@needs(may_see_runs)
def runs(request: HttpRequest) -> HttpResponse:
    """Every run there is, newest first."""
    query = request.GET.get("query", "")
    now = database_now()
    found, wrong = asked(query, lambda: run_page(query, None, PAGE, now), EMPTY)
    return page(request, "runs.html", "runs", now=now, query=query, wrong=wrong, runs=found)
