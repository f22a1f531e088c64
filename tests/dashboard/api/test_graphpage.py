"""The graph of a run as JSON: bounded work, failures in sight, honest counts, joins that know what is missing."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.runs import Sample
from dashboard.api.graphpage import graph_page
from dashboard.models import Task
from tests.dashboard.scenes import NOW, SECOND, dead_letter, failed_task, fan_out, fold, run, task

pytestmark = pytest.mark.django_db
BODY = '{"run_id":"run-1","task_id":"x","state":"completed"}'


def fanned(branches: int, *, failed: int = 0, state: str = "completed") -> None:
    """A planner, its fan-out of searches, a writer that depends on two of them."""
    run()
    task("plan", state="completed", task_type="plan", fold_key="f-plan", started_at=NOW, ended_at=NOW + SECOND)
    fold("f-plan", {"completed": 1}, sample=Sample("plan", "plan", "planner"))
    fan_out("fan", parent_task_id="plan", expected=branches, title="searches")
    counts = {state: branches - failed} | ({"failed": failed} if failed else {})
    sample = Sample("b0", "search", "searcher", parent_task_id="plan")
    fold("f-search", counts, sample=sample, fanouts=("fan",), first_at=NOW + 1)
    for index in range(failed):
        failed_task(f"b{index}", **branch(index))
    Task.objects.bulk_create(
        Task(run_id="run-1", task_id=f"b{index}", state=state, shard="12-0", revision=1, body=BODY, **branch(index))
        for index in range(failed, branches)
    )
    task("write", state="requested", task_type="write", fold_key="f-write", depends_on=("b0", "b1"))
    fold("f-write", {"requested": 1}, sample=Sample("write", "write", "writer", "", ("b0", "b1")), first_at=NOW + 2)


def branch(index: int) -> dict[str, Any]:
    return {"fold_key": "f-search", "task_type": "search", "fanout_id": "fan", "fanout_index": index}


def node(found: dict[str, Any], label: str) -> dict[str, Any]:
    return next(one for one in found["nodes"] if one["label"] == label)


def queries_for(branches: int) -> int:
    fanned(branches)
    rows = Task.objects.filter(fold_key="f-search", body=b"{}")
    rows.update(body=b'{"run_id":"run-1","task_id":"x","state":"completed"}')
    with CaptureQueriesContext(connection) as queries:
        graph_page("run-1")
    return len(queries)


def test_a_graph_costs_few_queries_for_ten_tasks() -> None:
    assert queries_for(10) <= 14


def test_a_graph_costs_no_more_queries_for_a_thousand_tasks() -> None:
    assert queries_for(1_000) <= 14


def test_three_failures_among_ten_thousand_stand_out_without_a_click() -> None:
    fanned(10_000, failed=3)
    search = node(graph_page("run-1"), "search")
    assert [member["task_id"] for member in search["surfaced"]] == ["b0", "b1", "b2"]
    assert search["sign"]["sign"] == "failed"
    assert search["bar"] == [("done", 9_997), ("failed", 3)]
    assert search["tally"] == "9,997 / 10,000"


def test_a_large_join_is_counted_by_its_folds() -> None:
    fanned(10_000, failed=3)
    join = node(graph_page("run-1"), "searches")
    assert (join["tally"], join["sign"]["sign"]) == ("10,000 of 10,000", "failed")


def test_dead_letters_come_first_and_all_of_them_are_counted() -> None:
    fanned(20, failed=9)
    for number in (6, 7, 8):
        dead_letter(number, task_id=f"b{number}")
    search = node(graph_page("run-1"), "search")
    assert [member["sign"]["sign"] for member in search["surfaced"]] == ["dead"] * 3 + ["failed"] * 2
    assert dict(search["bar"]) == {"done": 11, "failed": 6, "dead": 3}


def test_a_small_join_says_how_many_arrived_and_has_a_port_for_each() -> None:
    run()
    fan_out("fan", expected=3, title="searches")
    for index, state in enumerate(("completed", "working", "requested")):
        task(f"b{index}", state=state, fold_key=f"f{index}", fanout_id="fan", fanout_index=index)
        fold(f"f{index}", {state: 1}, sample=Sample(f"b{index}", "search", "g"), fanouts=("fan",))
    join = node(graph_page("run-1"), "searches")
    assert (join["tally"], join["ports"]) == ("1 of 3", ["", "missing", "missing"])


def test_an_opened_fold_says_so() -> None:
    fanned(10)
    assert node(graph_page("run-1", ["f-search"]), "search")["open"]


def test_a_run_without_tasks_has_neither_nodes_nor_edges() -> None:
    run()
    found = graph_page("run-1")
    assert (found["nodes"], found["edges"]) == ([], [])
