"""The task page: error, attempts, events, what it carried, acts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.api.addresses import address, task_address
from tests.dashboard.recordings import tried_twice
from tests.dashboard.scenes import failed_task, member, run, signed_in, task, viewer

pytestmark = pytest.mark.django_db
PATH = "/runs/run-1/tasks/task-1/"


def test_a_failed_task_shows_error_attempts_and_events() -> None:
    run()
    failed_task()
    tried_twice().store()
    page = viewer().get(PATH).content.decode()
    assert "the endpoint was removed" in page
    assert "Traceback" in page
    assert "researcher-2" in page
    assert page.count("task.started") == 2
    assert "search" in page


def test_an_open_task_says_why_it_waits() -> None:
    run()
    task(state="requested")
    assert b"Why is this waiting?" in viewer().get(PATH).content


def test_payloads_need_their_right() -> None:
    run()
    task(input={"key": "hidden-value"})
    assert b"hidden-value" not in signed_in(member("eve", "view_run")).get(PATH).content
    assert b"hidden-value" in signed_in(member("ana", "view_run", "view_segment")).get(PATH).content


def test_acts_are_offered_to_those_who_may_steer() -> None:
    run()
    failed_task()
    assert b"data-act" not in signed_in(member("eve", "view_run")).get(PATH).content
    page = signed_in(member("ana", "view_run", "steer_run")).get(PATH).content
    assert b'data-act="retry"' in page
    assert b'data-act="cancel"' not in page


def test_as_of_a_position_it_is_the_task_of_then_and_nothing_is_acted_on() -> None:
    run()
    failed_task()
    tried_twice().store()
    client = viewer()
    then = client.get(PATH, {"at": "coord.run.task.events-4@1"}).content.decode()
    assert "after event 3 of 7" in then
    assert "retrying" in then
    assert then.count("<b>task.started</b>") == 1
    assert "<b>task.completed</b>" not in then
    assert "data-act=" not in then
    assert 'data-at="coord.run.task.events-4@1"' in then
    now = client.get(PATH, {"at": "coord.run.task.events-4@77"}).content.decode()
    assert "is no position of this run" in now
    assert now.count("<b>task.started</b>") == 2


def test_before_it_was_known_the_page_says_so_and_shows_how_it_stands_now() -> None:
    run()
    failed_task("later")
    tried_twice().store()
    page = viewer().get("/runs/run-1/tasks/later/", {"at": "coord.run.task.events-4@1"}).content.decode()
    assert "Nothing was known of this task" in page
    assert "the endpoint was removed" in page


def test_a_task_whose_run_was_pruned_still_has_its_page() -> None:
    task()
    assert viewer().get(PATH).status_code == 200


def test_a_task_costs_the_same_in_a_run_of_many() -> None:
    run()
    task()
    client = viewer()

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(PATH).status_code == 200
        return len(queries)

    cost()  # what is kept for the process is read once
    few = cost()
    for number in range(60):
        task(f"other-{number}")
    assert cost() == few


@pytest.mark.parametrize(("run_id", "task_id"), [("a/b/tasks/c", "t"), ("r", "a/b/tasks/c"), ("a/tasks/b", "tasks/c")])
def test_ids_may_hold_what_parts_an_address(run_id: str, task_id: str) -> None:
    run(run_id)
    task(task_id, run_id=run_id)
    client = viewer()
    assert f"title of {task_id}" in client.get(task_address(run_id, task_id)).content.decode()
    assert client.get(address("runs", run_id)).status_code == 200


def test_an_unknown_task_is_not_found() -> None:
    run()
    assert viewer().get("/runs/run-1/tasks/nix/").status_code == 404
