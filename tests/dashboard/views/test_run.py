"""The run page."""

import pytest

from dashboard.views.run import states
from tests.dashboard.scenes import failed_task, member, run, signed_in, task, viewer
from tests.dashboard.views.test_board import first

pytestmark = pytest.mark.django_db


def test_a_run_brings_its_tasks_failed_first() -> None:
    run()
    task("a")
    failed_task("b")
    page = viewer().get("/runs/run-1/").content
    assert [row["task_id"] for row in first(page, "first-tasks")["items"]] == ["b", "a"]
    assert first(page, "first-run")["run_id"] == "run-1"


def test_a_fold_and_a_query_narrow_the_tasks() -> None:
    run()
    task("a", fold_key="x")
    task("b", fold_key="y")
    client = viewer()
    assert [row["task_id"] for row in first(client.get("/runs/run-1/?fold=x").content, "first-tasks")["items"]] == ["a"]
    wrong = client.get("/runs/run-1/?query=colour:red").content
    assert b"is no field of tasks" in wrong


def test_input_and_output_are_for_those_who_may_see_payloads() -> None:
    run()
    assert b"secret" not in signed_in(member("eve", "view_run")).get("/runs/run-1/").content
    assert b"secret" in signed_in(member("ana", "view_run", "view_segment")).get("/runs/run-1/").content


def test_a_run_whose_own_events_were_not_read_says_so() -> None:
    run(inferred=True, derived_times=True)
    page = viewer().get("/runs/run-1/").content
    assert b"inferred" in page
    assert b"derived" in page


def test_an_unknown_run_is_a_page_that_says_so() -> None:
    answer = viewer().get("/runs/nix/")
    assert answer.status_code == 404
    assert b"No run nix has been read" in answer.content


def test_ids_with_slashes_have_their_page() -> None:
    run("team/run 1")
    assert viewer().get("/runs/team%2Frun%201/").status_code == 200


def test_every_count_leads_to_the_tasks_behind_it() -> None:
    assert states([("done", 3), ("blocked", 2)]) == [
        {"name": "done", "count": 3, "query": "state:done"},
        {"name": "blocked", "count": 2, "query": ""},
    ]
