"""API calls about agent groups."""

from typing import Any

from django.http import HttpRequest

from dashboard.api.eventfilter import group_test
from dashboard.api.grouplist import group_rows
from dashboard.api.problems import Problem
from dashboard.api.recordshapes import GroupPage, GroupShape
from dashboard.api.root import allowed, api
from dashboard.clock import database_now
from dashboard.permissions import may_see_agents


@api.get("agents", response=GroupPage, tags=["agents"])
@allowed(may_see_agents)
def agents(request: HttpRequest, query: str = "") -> dict[str, Any]:
    """Every agent group as the last poll found it, worst verdict first. `query` is a query line:
    `state:stuck,slow waiting>10 agent:coder*`."""
    fits = group_test(query)
    return {"items": [row for row in group_rows(database_now()) if fits(row)], "next": None}


@api.get("agents/{path:group}", response=GroupShape, tags=["agents"])
@allowed(may_see_agents)
def agent(request: HttpRequest, group: str) -> dict[str, Any]:
    """One agent group."""
    row = next((each for each in group_rows(database_now()) if each["group"] == group), None)
    if row is None:
        raise Problem(404, "not_found", f"No agent group {group} has been seen.")
    return row
