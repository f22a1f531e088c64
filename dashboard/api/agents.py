"""API calls about agent groups: as the last poll found them, what waits before one, what changed of it; topics."""

from typing import Any

from django.http import HttpRequest

from dashboard.api.eventfilter import group_test
from dashboard.api.flowgraph import flow_graph
from dashboard.api.groupchanges import changes
from dashboard.api.grouplist import group_rows, whole_group
from dashboard.api.groupwaiting import blocked_by, waiting_by_run
from dashboard.api.instants import iso
from dashboard.api.problems import Problem
from dashboard.api.recordshapes import GroupPage, GroupShape
from dashboard.api.root import access, allowed, api
from dashboard.api.topiclist import topic_rows
from dashboard.clock import database_now
from dashboard.permissions import may_see_agents, may_see_runs


@api.get("agents", response=GroupPage, tags=["agents"])
@allowed(may_see_agents)
def agents(request: HttpRequest, query: str = "") -> dict[str, Any]:
    """Every agent group as the last poll found it, worst verdict first. `query` is a query line:
    `state:stuck,slow waiting>10 agent:coder*`."""
    fits = group_test(query)
    return {"items": [row for row in group_rows(database_now()) if fits(row)], "next": None}


@api.get("topics", tags=["agents"])
@allowed(may_see_agents)
def topics(request: HttpRequest) -> dict[str, Any]:
    """One row a topic: what is declared, what the log says of it, what differs and what is at risk, in words."""
    rows = topic_rows(database_now())
    return {"items": [row | {"last_at": iso(row["last_at"])} for row in rows], "next": None}


@api.get("agents/{path:group}", response=GroupShape, tags=["agents"])
@allowed(may_see_agents)
def agent(request: HttpRequest, group: str) -> dict[str, Any]:
    """One agent group."""
    return _row(group)


@api.get("agents/{path:group}/waiting", tags=["agents"])
@allowed(may_see_agents)
def waiting(request: HttpRequest, group: str) -> dict[str, Any]:
    """What waits before an agent group by run, with the reason of the oldest tasks, and what holds its tasks up."""
    row = _row(group)
    may_see = may_see_runs(access(request).user)
    items = waiting_by_run(row, database_now()) if may_see else []
    return {"items": items, "next": None, "blocked_by": blocked_by(row)}


@api.get("agents/{path:group}/changes", tags=["agents"])
@allowed(may_see_agents)
def history_of_members(request: HttpRequest, group: str) -> dict[str, Any]:
    """Members that came and went, partitions that changed hands, generations, commits that moved back; newest first.
    `at` is the poll that saw it, `after` the poll before."""
    return {"items": changes(str(_row(group)["id"])), "next": None}


@api.get("flow", tags=["agents"])
@allowed(may_see_agents)
def flow(request: HttpRequest) -> dict[str, Any]:
    """Who writes to which topic and who reads it, from the records themselves: nodes, edges with rate, waiting, age,
    and where an edge is not as declared."""
    return flow_graph(database_now())


def _row(group: str) -> dict[str, Any]:
    row = whole_group(group, database_now())
    if row is None:
        raise Problem(404, "not_found", f"No agent group {group} has been seen.")
    return row
