"""What became of an act: never ahead of what the log says."""

from pathlib import Path
from typing import Any

import pytest

from dashboard.api.actrows import act_rows
from dashboard.api.taskbody import task_of
from dashboard.models import Decision, Task
from dashboard.steering import steer
from tests.dashboard.cast import RUN, TASK, person, say

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


def requested() -> None:
    say("task.requested", {"task_type": "pay", "title": "Pay supplier 7"}, target_group="payer")
    say("task.started", {}, attempt=1)


def act(name: str) -> None:
    steer(Task.objects.get(run_id=RUN, task_id=TASK), name, person("op", may_steer=True), reason="wrong month")


def row() -> dict[str, Any]:
    (found,) = act_rows(task_of(Task.objects.get(run_id=RUN, task_id=TASK)))
    return found


def published() -> None:
    Decision.objects.update(state="published", positions=[["coord.run.task.commands", 4, 17, 1]])


def test_an_act_waits_to_be_sent_then_for_the_agents_then_has_their_answer() -> None:
    requested()
    act("cancel")
    assert (row()["word"], row()["by"], row()["reason"]) == ("Cancel", "op", "wrong month")
    assert (row()["answer"], row()["published_url"]) == ("waits to be sent", None)
    published()
    assert row()["answer"] == "the agents have not answered"
    assert row()["published_url"] == "/records/coord.run.task.commands/4/17/"
    say("task.canceled", {"reason": "as asked"})
    assert row()["answer"] == "the agents stopped it"


def test_a_declined_cancellation_and_one_that_came_late_say_so() -> None:
    requested()
    act("cancel")
    published()
    say("task.cancel.declined", {"reason": "paid already"})
    assert "declined" in row()["answer"]
    say("task.completed", {})
    Decision.objects.update(saved_at=2**60)
    assert row()["answer"] == "it ended before: completed"


def test_a_compensation_is_told_by_its_facts() -> None:
    requested()
    say("task.completed", {})
    act("compensate")
    published()
    assert row()["answer"] == "the agents have not answered"
    say("task.compensated", {})
    assert row()["answer"] == "the agents undid it"


def test_what_was_never_sent_says_why() -> None:
    requested()
    act("cancel")
    Decision.objects.update(state="undeliverable", error="the topic is closed")
    assert (row()["sign"]["sign"], row()["answer"]) == ("failed", "the topic is closed")
