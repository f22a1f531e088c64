"""A workflow over its runs: trend figures with their numbers, and the run × step matrix."""

import json

import pytest

from coordination.runs import Sample
from tests.dashboard.scenes import MINUTE, NOW, fold, run, viewer

pytestmark = pytest.mark.django_db


def three_runs() -> None:
    for number, state in enumerate(("completed", "failed", "working")):
        begin = NOW + number * 10 * MINUTE
        ended = None if state == "working" else begin + (number + 2) * MINUTE
        counts = {"completed": 3, "failed": 2} if state == "failed" else {"completed": 5}
        given = {"state": state, "first_at": begin, "started_at": begin, "ended_at": ended, "counts": counts}
        run(f"run-{number}", tokens=1_000 * number, cost=500_000 * number, **given)
        fold("read", counts, f"run-{number}", first_at=begin)
    write = Sample(task_id="w", task_type="write", agent_group="writer")
    fold("write", {"completed": 1}, "run-2", first_at=NOW + 21 * MINUTE, sample=write)


def test_every_run_is_a_point_of_each_figure_oldest_first() -> None:
    three_runs()
    found = viewer().get("/api/v1/workflows/incident").json()
    assert [row["run_id"] for row in found["runs"]] == ["run-0", "run-1", "run-2"]
    figures = found["figures"]
    assert figures["duration"]["data"][0]["y"] == [2.0, 3.0, None]
    assert figures["duration"]["layout"]["yaxis"]["title"]["text"] == "min"
    assert figures["failures"]["data"][0]["y"] == [0, 2, 0]
    assert figures["tokens"]["data"][0]["y"] == [0, 1_000, 2_000]
    assert figures["cost"]["data"][0]["y"] == [0, 0.5, 1.0]
    assert found["summary"] == {"runs": 3, "failed": 1, "share": "50 %", "median": "2 m 00 s"}


def test_a_cell_of_the_matrix_is_never_greener_than_its_worst_task() -> None:
    three_runs()
    matrix = viewer().get("/api/v1/workflows/incident").json()["matrix"]
    assert [column["run_id"] for column in matrix["columns"]] == ["run-0", "run-1", "run-2"]
    steps = {row["step"]: [cell["sign"] for cell in row["cells"]] for row in matrix["rows"]}
    assert steps == {"read": ["done", "failed", "done"], "write": ["", "", "done"]}


def test_the_list_of_workflows_has_the_one_that_ran_last_first() -> None:
    three_runs()
    run("other", workflow="billing", first_at=NOW + 100 * MINUTE)
    items = viewer().get("/api/v1/workflows").json()["items"]
    assert [(row["workflow"], row["runs"], row["failed"], row["live"]) for row in items] == [
        ("billing", 1, 0, 1),
        ("incident", 3, 1, 1),
    ]


def test_the_page_has_figures_table_and_matrix() -> None:
    three_runs()
    page = viewer().get("/workflows/incident/").content.decode()
    assert page.count('class="chart" data-figure=') == 4
    assert "3 done, 2 failed" in page
    assert json.dumps("var(--failed)") in page


def test_a_workflow_that_never_ran_is_a_page_that_says_so() -> None:
    answer = viewer().get("/workflows/nix/")
    assert answer.status_code == 404
    assert b"No run of workflow nix" in answer.content
