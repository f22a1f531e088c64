"""The call about one run."""

import pytest

from tests.dashboard.scenes import NOW, member, run, signed_in

pytestmark = pytest.mark.django_db


def test_one_run_is_the_row_of_the_list() -> None:
    run(ended_at=NOW, state="completed")
    browser = signed_in(member("eve", "view_run"))
    assert browser.get("/api/v1/runs/run-1").json() == browser.get("/api/v1/runs").json()["items"][0]


def test_a_failed_run_names_its_first_cause() -> None:
    cause = {"task_id": "t", "agent_group": "g", "error_type": "E", "error_message": "m", "attempts": 3}
    run(state="failed", first_cause=cause, counts={"failed": 1, "requested": 7}, ended_at=NOW)
    found = signed_in(member("eve", "view_run")).get("/api/v1/runs/run-1").json()["first_cause"]
    assert found == {
        "task_id": "t",
        "title": "",
        "agent_group": "g",
        "error": {"type": "E", "message": "m"},
        "attempts": 3,
        "blocked": 7,
    }
