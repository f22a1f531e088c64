"""The calls about runs: lists, one run, tasks, folds; rows carry more than is promised, never less."""

import pytest

from tests.dashboard.scenes import failed_task, fold, member, run, signed_in, task

pytestmark = pytest.mark.django_db


def test_runs_are_listed_with_what_the_page_needs() -> None:
    run(counts={"completed": 3, "working": 2})
    row = signed_in(member("eve", "view_run")).get("/api/v1/runs").json()["items"][0]
    assert {"run_id", "name", "state", "started_at", "ended_at", "counts", "first_cause", "revision"} <= row.keys()
    assert row["bar"] == [["done", 3], ["running", 2]]


def test_a_query_that_is_not_understood_is_a_problem() -> None:
    answer = signed_in(member("eve", "view_run")).get("/api/v1/runs?query=colour:red")
    assert (answer.status_code, answer.json()["at"]) == (400, 0)


def test_tasks_of_a_run_are_paged_and_filtered() -> None:
    run()
    failed_task("f")
    for number in range(3):
        task(f"t{number}")
    browser = signed_in(member("eve", "view_run"))
    first = browser.get("/api/v1/runs/run-1/tasks?limit=2").json()
    assert [row["task_id"] for row in first["items"]] == ["f", "t0"]
    second = browser.get("/api/v1/runs/run-1/tasks", {"cursor": first["next"], "limit": 2}).json()
    assert ([row["task_id"] for row in second["items"]], second["next"]) == (["t1", "t2"], None)
    assert [row["task_id"] for row in browser.get("/api/v1/runs/run-1/tasks?query=state:failed").json()["items"]] == [
        "f"
    ]


def test_an_open_task_says_why_it_waits() -> None:
    run()
    task("t", depends_on=("gone",), state="requested")
    row = signed_in(member("eve", "view_run")).get("/api/v1/runs/run-1/tasks").json()["items"][0]
    assert row["waiting"]["reason"] in ("queue", "unknown", "waits_for_dependencies")
    assert row["waiting"]["text"]


def test_folds_are_listed() -> None:
    run()
    fold("f", {"completed": 2})
    assert signed_in(member("eve", "view_run")).get("/api/v1/runs/run-1/folds").json()["items"][0]["total"] == 2


@pytest.mark.parametrize("path", ["runs/nix", "runs/nix/tasks", "runs/nix/folds"])
def test_an_unknown_run_is_not_found(path: str) -> None:
    assert signed_in(member("eve", "view_run")).get(f"/api/v1/{path}").status_code == 404
