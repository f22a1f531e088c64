"""Who writes where is counted from the stored records, each looked at once."""

from dashboard.lagflow import Flow
from dashboard.models import FlowEdge
from tests.dashboard.ingest.test_loop import event

MINUTE = 60_000_000


def test_each_record_counts_once_for_the_group_that_wrote_it(tables, append, drain):
    flow = Flow()
    append([event("task.started", number, agent_group="writer") for number in range(5)])
    assert drain()
    flow.look(MINUTE)
    append([event("task.progressed", number, agent_group="writer") for number in range(10, 13)])
    assert drain()
    flow.look(2 * MINUTE)
    edge = FlowEdge.objects.get(agent_group="writer")
    assert (edge.topic, edge.seen, edge.rate) == ("coord.run.task.events", 8, 3.0)
    flow.look(3 * MINUTE)
    assert FlowEdge.objects.get(agent_group="writer").rate == 0
