"""Steering: an intent in the outbox, once, and only where it makes sense."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User

from coordination.envelope import decode
from coordination.eventlog import StoredRecord
from dashboard import outbox, steering
from dashboard.approvals import NotAllowed
from dashboard.models import Audit, Decision, Task
from dashboard.steering import steer
from tests.dashboard.approvals.clicking import events
from tests.dashboard.cast import RUN, TASK, hear, person, say

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


@pytest.fixture
def op() -> User:
    return person("op", may_steer=True)


def requested(**data: Any) -> None:
    asked = {"task_type": "pay", "title": "Pay supplier 7", "input": {"amount": "1"}, **data}
    say("task.requested", asked, target_group="payer", fanout_id="f", fanout_index=3, fold_key="0" * 16)
    say("task.started", {}, attempt=1)


def task() -> Task:
    return Task.objects.get(run_id=RUN, task_id=TASK)


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The stored command of the task, as the reader of stored records gives it."""
    data = {"task_type": "pay", "input": {"amount": "1"}, "own_field": [1], "deadline": "2020-01-01T00:00:00Z"}
    made = outbox.record(
        "task.requested",
        made_of=["x"],
        at=1,
        run_id=RUN,
        task_id=TASK,
        target_group="payer",
        fanout_id="f",
        fanout_index=3,
        fold_key="0" * 16,
        data=data,
    )
    record = StoredRecord(made.topic, made.partition or 0, 0, 0, 0, made.key, made.value, made.headers)
    monkeypatch.setattr(steering, "record_at", lambda *_: record)
    monkeypatch.setattr(steering, "event_at", lambda *_: decode(record))
    return data


def test_a_cancellation_is_an_intent_to_the_group_of_the_task(op: User) -> None:
    requested()
    steered = steer(task(), "cancel", op, reason="wrong month")
    row = Decision.objects.get()
    (event,) = events(row)
    assert (event.name, event.topic) == ("task.cancel.requested", "coord.run.task.commands")
    assert (event.task_id, event.target_group, event.data.reason) == (TASK, "payer", "wrong month")
    assert (row.kind, row.held_until, row.decision_id) == ("cancel", 0, steered.row_id)
    assert (row.valid_until or 0) > row.saved_at
    entry = Audit.objects.get()
    assert (entry.actor, entry.act, entry.subject) == (f"user-{op.pk}", "task.cancel", f"task/{TASK}")


@pytest.mark.parametrize("act", ["cancel", "retry", "compensate"])
def test_the_same_click_again_is_the_same_act(op: User, act: str, stored: dict[str, Any]) -> None:
    requested()
    if act != "cancel":
        say("task.failed", {}, attempt=1)
    assert steer(task(), act, op) == steer(task(), act, op)
    assert (Decision.objects.count(), Audit.objects.count()) == (1, 1)


def test_a_retry_is_a_new_task_with_everything_the_old_one_was_asked(op: User, stored: dict[str, Any]) -> None:
    requested()
    say("task.failed", {}, attempt=1)
    steered = steer(task(), "retry", op)
    row = Decision.objects.get()
    (event,) = events(row)
    (record,) = outbox.unpack(row.records)
    assert (event.name, event.task_id, row.task_id) == ("task.requested", steered.new_task_id, steered.new_task_id)
    assert steered.new_task_id != TASK
    assert (event.fanout_id, event.fanout_index, event.fold_key, event.target_group) == ("f", 3, "0" * 16, "payer")
    data = msgspec.json.decode(record.value or b"")
    assert data == {"task_type": "pay", "input": {"amount": "1"}, "own_field": [1], "retry_of": TASK}
    hear(record)
    assert Task.objects.get(task_id=steered.new_task_id).retry_of == TASK


def test_a_retry_that_failed_as_well_is_retried_by_itself_and_a_reopened_task_again(
    op: User, stored: dict[str, Any]
) -> None:
    requested()
    say("task.failed", {}, attempt=1)
    first = steer(task(), "retry", op)
    say("task.reopened", {})
    say("task.started", {}, attempt=2)
    say("task.failed", {}, attempt=2)
    assert steer(task(), "retry", op).new_task_id != first.new_task_id


def test_without_its_stored_command_a_task_is_not_retried(op: User) -> None:
    requested()
    say("task.failed", {}, attempt=1)
    with pytest.raises(NotAllowed, match="not stored any more"):
        steer(task(), "retry", op)


def test_a_compensation_is_asked_of_a_task_that_ended(op: User) -> None:
    requested()
    with pytest.raises(NotAllowed, match="still open"):
        steer(task(), "compensate", op)
    say("task.completed", {}, attempt=1)
    steer(task(), "compensate", op)
    assert [event.name for event in events(Decision.objects.get())] == ["task.compensation.requested"]


def test_a_compensation_that_failed_may_be_asked_for_again(op: User) -> None:
    requested()
    say("task.completed", {}, attempt=1)
    first = steer(task(), "compensate", op)
    hear(*outbox.unpack(Decision.objects.get().records))
    with pytest.raises(NotAllowed, match="is requested"):
        steer(task(), "compensate", op)
    say("task.compensation.failed", {})
    assert steer(task(), "compensate", op).row_id != first.row_id


@pytest.mark.parametrize(
    ("end", "act", "words"),
    [
        ("completed", "cancel", "ended already"),
        ("completed", "retry", "did not succeed"),
        (None, "retry", "did not succeed"),
        (None, "explode", "no act"),
    ],
)
def test_acts_that_make_no_sense_are_refused_with_the_reason(op: User, end: str | None, act: str, words: str) -> None:
    requested()
    if end:
        say(f"task.{end}", {}, attempt=1)
    with pytest.raises(NotAllowed, match=words):
        steer(task(), act, op)
    assert not Decision.objects.exists()


def test_without_the_right_nobody_steers() -> None:
    requested()
    with pytest.raises(NotAllowed, match="no right"):
        steer(task(), "cancel", person("stranger"))


def test_a_task_of_which_nobody_knows_the_group_cannot_be_steered(op: User) -> None:
    say("task.started", {}, attempt=1, agent_group="")
    with pytest.raises(NotAllowed, match="nobody knows which agents"):
        steer(task(), "cancel", op)
