"""The flow of records is what was seen; what is declared and not seen, or seen and not declared, is named."""

import pytest

from dashboard.api.flowgraph import flow_graph
from dashboard.models import FlowEdge
from tests.dashboard.scenes import NOW, group, partition, viewer

pytestmark = pytest.mark.django_db


def edges() -> dict[tuple[str, str, str], str]:
    return {(edge["way"], edge["group"], edge["topic"]): edge["drift"] for edge in flow_graph(NOW)["edges"]}


def test_reading_is_known_by_commits_and_writing_by_records() -> None:
    group("payer", partitions=[partition(3, waiting=2, commit=7)])
    FlowEdge.objects.create(agent_group="payer", topic="coord.run.task.events", first_at=1, last_at=2, seen=9, rate=4.5)
    found = edges()
    assert found["reads", "payer", "coord.run.task.commands"] == ""
    assert found["writes", "payer", "coord.run.task.events"] == ""
    assert found["writes", "payer", "coord.ops.heartbeats"] == "never seen"
    assert found["reads", "payer", "coord.run.decision.commands"] == "never seen"


def test_what_nobody_declared_is_named() -> None:
    group("payer", partitions=[partition(3, waiting=0, commit=7) | {"topic": "coord.run.workflow.events"}])
    FlowEdge.objects.create(agent_group="payer", topic="coord.review.approval.events", first_at=1, last_at=2, seen=1)
    found = edges()
    assert found["reads", "payer", "coord.run.workflow.events"] == "not declared"
    assert found["writes", "payer", "coord.review.approval.events"] == "not declared"


def test_waiting_and_age_stand_on_the_edge() -> None:
    group("payer", partitions=[partition(3, waiting=2, commit=7), partition(4, waiting=None, commit=None)])
    graph = flow_graph(NOW)
    edge = next(
        each for each in graph["edges"] if each["topic"] == "coord.run.task.commands" and each["way"] == "reads"
    )
    assert (edge["waiting"], edge["age"]) == (2, "18 m 41 s")


def test_the_page_and_the_call_tell_the_same() -> None:
    group("payer")
    browser = viewer()
    assert browser.get("/flow/").status_code == 200
    assert browser.get("/api/v1/flow").json()["edges"]
