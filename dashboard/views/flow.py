"""Flow: who writes where, and who reads it?"""

from django.http import HttpRequest, HttpResponse

from dashboard.api.flowgraph import flow_graph
from dashboard.clock import database_now
from dashboard.permissions import may_see_agents, needs
from dashboard.views.page import page


@needs(may_see_agents)
def flow(request: HttpRequest) -> HttpResponse:
    """The graph of agents and topics, and the same edges as a table."""
    now = database_now()
    return page(request, "flow.html", "agents", now=now, flow=flow_graph(now))
