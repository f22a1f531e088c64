"""The scrubber's marks: every change is counted once, failures apart, and their number is bounded."""

import pytest

from dashboard.api import marklist
from dashboard.api.marklist import mark_page
from tests.dashboard.recordings import Recording, tried_twice
from tests.dashboard.scenes import failed_task, run

pytestmark = pytest.mark.django_db


def test_marks_count_every_change_of_state_and_name_a_position() -> None:
    found = run(events=7)
    tried_twice().store()
    page = mark_page(found)
    # requested, working, retry_wait, working, completed
    assert page["exact"]
    assert sum(mark["changed"] for mark in page["items"]) == 5
    assert page["items"][-1]["position"] == "coord.run.task.events-4@3"
    assert sum(mark["failed"] for mark in page["items"]) == 0


def test_failures_are_counted_apart() -> None:
    found = run(events=3)
    log = Recording()
    log.say("task.requested", {"task_type": "t"}, target_group="g")
    log.say("task.started", attempt=1)
    log.say("task.failed", {"error": {"type": "E", "message": "m"}}, attempt=1)
    log.store()
    assert sum(mark["failed"] for mark in mark_page(found)["items"]) == 1


def test_there_are_never_more_marks_than_the_scrubber_can_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marklist, "MARKS", 4)
    found = run(events=40)
    log = Recording()
    for number in range(20):
        log.say("task.requested", {"task_type": "t"}, task_id=f"t{number}", target_group="g")
        log.say("task.started", task_id=f"t{number}", attempt=1)
    log.store()
    items = mark_page(found)["items"]
    assert len(items) <= 4
    assert sum(mark["changed"] for mark in items) == 40


def test_a_huge_run_is_counted_out_of_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marklist, "FOLDED", 3)
    found = run(events=7)
    log = tried_twice()
    log.store(a_batch=2)
    failed_task("f", ended_at=log.records[-1].timestamp * 1000)
    page = mark_page(found)
    assert not page["exact"]
    assert sum(mark["changed"] for mark in page["items"]) == 7
    assert sum(mark["failed"] for mark in page["items"]) == 1


def test_a_run_without_records_has_no_marks() -> None:
    assert mark_page(run())["items"] == []
