"""Calls that answer with pictures: for whom, for which run, with which fields."""

import pytest
from django.test import Client

from tests.dashboard.scenes import fold, member, run, signed_in, task, viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def seen() -> Client:
    run()
    task("t1", fold_key="f")
    fold("f", {"working": 1})
    return viewer()


def test_a_graph_has_the_fields_that_are_promised(seen: Client) -> None:
    graph = seen.get("/api/v1/runs/run-1/graph").json()
    assert {"nodes", "edges", "revision"} <= graph.keys()
    node = {"id", "kind", "label", "agent_group", "members", "counts", "surfaced"}
    assert all(node <= one.keys() for one in graph["nodes"])


def test_folds_are_opened_by_their_keys(seen: Client) -> None:
    fold("g", {"working": 9})
    nodes = seen.get("/api/v1/runs/run-1/graph?open=g,other").json()["nodes"]
    assert [node["open"] for node in nodes if node["kind"] == "fold"] == [True]


@pytest.mark.parametrize("what", ["graph", "joins"])
def test_a_run_that_nobody_knows_has_no_picture(seen: Client, what: str) -> None:
    assert seen.get(f"/api/v1/runs/nobody/{what}").status_code == 404


@pytest.mark.parametrize("what", ["graph", "joins"])
def test_who_may_not_see_runs_sees_no_picture(what: str) -> None:
    run()
    assert signed_in(member("stranger")).get(f"/api/v1/runs/run-1/{what}").status_code == 403
