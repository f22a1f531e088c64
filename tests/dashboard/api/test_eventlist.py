"""Events as rows: pages of a run as they were read, of a task in log order, nothing twice and nothing lost."""

import pytest

from dashboard.api.eventlist import event_note, event_sign, run_events, task_events
from tests.dashboard.recordings import Recording, tried_twice

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("a_batch", [1, 3, 100])
def test_pages_of_a_run_show_every_event_once(a_batch: int) -> None:
    log = tried_twice()
    log.store(a_batch=a_batch)
    seen, cursor = [], None
    while True:
        page = run_events("run-1", cursor, 2)
        seen += [row["id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["ask", "s1", "f1", "s2", "t1", "t2", "done"]


def test_events_of_a_task_leave_other_tasks_out() -> None:
    log = tried_twice()
    log.say("task.requested", {"task_type": "other"}, id="else", task_id="task-2", target_group="coder")
    log.store()
    assert [row["id"] for row in task_events("run-1", "task-2", None, 10)["items"]] == ["else"]
    first = task_events("run-1", "task-1", None, 4)
    second = task_events("run-1", "task-1", first["next"], 4)
    assert len({row["id"] for page in (first, second) for row in page["items"]}) == 7


def test_a_row_names_its_record_and_its_cause() -> None:
    log = tried_twice()
    log.store()
    row = run_events("run-1", None, 10)["items"][1]
    assert (row["position"], row["causation_id"], row["task_id"]) == ("task.events-4@0", "ask", "task-1")
    assert row["time"] == "2026-09-21T14:13:21.000000Z"


def test_an_event_has_the_sign_of_the_state_it_leads_to() -> None:
    log = Recording()
    assert event_sign(log.say("task.paused", {"reason": "approval"}))["sign"] == "human"
    assert event_sign(log.say("task.progressed"))["sign"] == "none"
    assert event_sign(log.say("run.failed"))["sign"] == "failed"
    assert event_sign(log.say("task.requested", {"task_type": "t"}, target_group="g"))["sign"] == "waiting"


def test_the_note_is_one_line_and_no_payload() -> None:
    log = Recording()
    error = {"error": {"type": "E", "message": "a\nb"}}
    assert event_note(log.say("task.failed", error)) == "E: a"
    assert event_note(log.say("task.completed", {"output": {"secret": 1}})) == ""
    assert event_note(log.say("task.canceled", {"reason": "by hand"})) == "by hand"
