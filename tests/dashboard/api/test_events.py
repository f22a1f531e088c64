"""The calls about events and records: rights, paging, ambiguity."""

import pytest

from dashboard.models import Run
from tests.dashboard.recordings import tried_twice
from tests.dashboard.scenes import member, run, signed_in, task

pytestmark = pytest.mark.django_db
RECORD = "/api/v1/records/coord.run.task.events/4/3"


def test_events_of_a_run_are_paged() -> None:
    run()
    tried_twice().store()
    client = signed_in(member("eve", "view_run"))
    first = client.get("/api/v1/runs/run-1/events?limit=5").json()
    assert [row["offset"] for row in first["items"]] == [0, 0, 1, 2, 0]
    rest = client.get("/api/v1/runs/run-1/events", {"cursor": first["next"]}).json()
    assert (len(rest["items"]), rest["next"]) == (2, None)


def test_an_unknown_run_has_no_events() -> None:
    assert signed_in(member("eve", "view_run")).get("/api/v1/runs/nix/events").status_code == 404


def test_a_task_id_of_several_runs_needs_the_run() -> None:
    for run_id in ("run-1", "run-2"):
        run(run_id)
        task("task-1", run_id)
    tried_twice().store()
    client = signed_in(member("eve", "view_run"))
    ambiguous = client.get("/api/v1/tasks/task-1/events")
    assert (ambiguous.status_code, sorted(ambiguous.json()["runs"])) == (409, ["run-1", "run-2"])
    assert len(client.get("/api/v1/tasks/task-1/events?run=run-1").json()["items"]) == 7
    assert client.get("/api/v1/tasks/nix/events").status_code == 404


def test_events_of_a_task_end_at_a_position() -> None:
    run()
    task()
    tried_twice().store()
    client = signed_in(member("eve", "view_run"))
    answer = client.get("/api/v1/tasks/task-1/events", {"at": "coord.run.task.events-4@1"})
    assert [row["id"] for row in answer.json()["items"]] == ["ask", "s1", "f1"]
    assert client.get("/api/v1/tasks/task-1/events", {"at": "nowhere"}).status_code == 400


def test_payloads_need_their_own_right() -> None:
    run()
    tried_twice().store()
    assert signed_in(member("eve", "view_run")).get(RECORD).json()["data"] is None
    seen = signed_in(member("ana", "view_run", "view_segment")).get(RECORD).json()
    assert seen["data"] == {"output": {"answer": 42}}


def test_a_record_that_was_never_read_is_not_found() -> None:
    answer = signed_in(member("eve", "view_run")).get("/api/v1/records/t/0/7")
    assert (answer.status_code, answer["content-type"]) == (404, "application/problem+json")


def test_records_of_the_review_class_need_the_right_to_approvals() -> None:
    assert (
        signed_in(member("eve", "view_run")).get("/api/v1/records/coord.review.approval.events/0/0").status_code == 403
    )


def test_runs_with_a_slash_in_their_id_are_found() -> None:
    run("team/run 1")
    client = signed_in(member("eve", "view_run"))
    assert client.get("/api/v1/runs/team%2Frun%201/events").status_code == 200
    assert client.get("/api/v1/runs/team%2Frun%201").json()["run_id"] == "team/run 1"
    assert Run.objects.count() == 1
