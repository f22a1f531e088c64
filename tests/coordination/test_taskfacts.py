"""What each fact does to a task."""

from typing import Any

import pytest

from coordination.projection import Rows, fold
from coordination.tasks import Task
from tests.coordination.stories import START, Story

Said = tuple[str, dict[str, Any]]


def told(*said: str | Said, **attributes: Any) -> Task:
    story = Story()
    for one in said:
        name, data = (one, {}) if isinstance(one, str) else one
        story.say(name, task="t", agent_id="a", data=data, **attributes)
    rows = Rows()
    fold(rows, story.events())
    return rows.tasks["run-1", "t"]


ERROR = {"error": {"type": "Timeout", "message": "too slow", "stack": "line\n" * 5000}}


def test_accepted_and_started_tell_when_the_attempt_was_received_and_began() -> None:
    task = told("task.accepted", "task.started")
    (attempt,) = task.attempts
    assert (attempt.accepted_at, attempt.started_at) == (task.accepted_at, task.started_at)
    assert (attempt.number, attempt.agent_id, attempt.event_id, attempt.outcome) == (1, "a", "e-2", "")
    assert task.received_at is None


def test_a_failed_attempt_keeps_its_error_and_when_the_next_one_is_due() -> None:
    task = told("task.started", ("task.attempt.failed", ERROR | {"next_attempt_at": "2023-11-14T22:13:20Z"}))
    (attempt,) = task.attempts
    assert (attempt.outcome, attempt.error_type, attempt.error_message) == ("failed", "Timeout", "too slow")
    assert attempt.next_attempt_at == START
    assert task.error is not None
    assert len(task.error.stack or "") == 4000


def test_a_new_attempt_forgets_the_error_of_the_former_one_but_the_former_one_keeps_it() -> None:
    task = told("task.started", ("task.attempt.failed", ERROR), "task.started")
    assert task.error is None
    assert task.attempts[0].error_type == "Timeout"


def test_an_attempt_that_failed_without_having_begun_is_an_attempt() -> None:
    task = told("task.escalated", "task.resumed", "task.attempt.failed")
    assert [(one.number, one.started_at, one.outcome) for one in task.attempts] == [(1, None, "failed")]


def test_a_result_is_kept_if_it_is_small_and_left_in_its_record_if_not() -> None:
    small = told("task.started", ("task.completed", {"output": {"pages": 3}}))
    large = told("task.started", ("task.completed", {"output": "x" * 3000}))
    assert (small.output, large.output) == ({"pages": 3}, None)
    assert small.attempts[0].outcome == "completed"


@pytest.mark.parametrize("name", ["task.failed", "task.rejected", "task.expired"])
def test_what_failed_keeps_when_it_first_did_even_after_it_was_taken_back(name: str) -> None:
    task = told("task.started", (name, {"reason": "no"}), "task.reopened")
    assert (task.state, task.error) == ("requested", None)
    assert task.failed_at == START + 2000


def test_a_cancellation_is_no_failure() -> None:
    task = told("task.started", "task.canceled")
    assert (task.failed_at, task.attempts[0].outcome) == (None, "canceled")


def test_a_reason_stands_for_an_error_that_was_not_given() -> None:
    task = told(("task.rejected", {"reason": "not my trade"}))
    assert task.error is not None
    assert task.error.message == "not my trade"


def test_the_last_failure_keeps_the_error_of_its_attempt_if_it_names_none() -> None:
    task = told("task.started", ("task.attempt.failed", ERROR), "task.failed")
    assert task.error is not None
    assert task.error.type == "Timeout"


def test_an_agent_may_say_that_the_command_was_dead_lettered() -> None:
    assert told("task.started", ("task.failed", {"dead_lettered": True})).dead_lettered
    assert not told("task.started", ("task.failed", {"dead_lettered": True}), "task.reopened").dead_lettered


def test_pauses_are_kept_with_their_attempt_and_their_end() -> None:
    task = told("task.started", ("task.paused", {"reason": "approval", "approval_id": "ap"}), "task.resumed")
    assert [(one.reason, one.attempt, one.approval_id) for one in task.pauses] == [("approval", 1, "ap")]
    assert task.pauses[0].resumed_at == START + 3000


def test_an_escalation_during_a_pause_is_the_same_wait() -> None:
    assert len(told("task.started", "task.paused", "task.escalated").pauses) == 1
    assert [one.reason for one in told("task.started", "task.escalated").pauses] == ["escalated"]


def test_progress_says_how_far_and_doing_what() -> None:
    task = told(("task.progressed", {"progress": 0.5, "step": "reading"}), ("task.progressed", {"message": "still"}))
    assert (task.progress, task.progress_text) == (0.5, "still")


def test_assigned_and_released_say_who_has_it() -> None:
    assert told(("task.assigned", {"agent_id": "b"})).agent_id == "b"
    assert told(("task.assigned", {"agent_id": "b"}), "task.released").agent_id == ""


def test_a_declined_cancellation_is_kept() -> None:
    assert told("task.started", "task.cancel.declined").cancel_declined_at == START + 2000


def test_compensation_is_a_second_dimension_of_a_task_that_has_ended() -> None:
    done = told("task.started", "task.completed", "task.compensation.started", "task.compensated")
    assert (done.state, done.compensation) == ("completed", "compensated")
    again = told("task.completed", "task.compensation.started", "task.compensation.failed", "task.compensation.started")
    assert again.compensation == "running"
    twice = told("task.completed", "task.compensated", "task.compensated")
    assert [one.name for one in twice.anomalies] == ["illegal_transition"]
    assert told("task.completed", "task.compensated", "task.reopened").compensation == "none"


def test_pauses_for_ever_are_bounded_and_keep_the_first() -> None:
    task = told("task.started", *["task.paused", "task.resumed"] * 80)
    assert len(task.pauses) == 50
    assert task.pauses[0].at == START + 2000
