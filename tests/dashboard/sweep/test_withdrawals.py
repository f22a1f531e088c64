"""Requests nobody needs an answer to are withdrawn, others are not."""

import msgspec
import pytest
from django.contrib.auth.models import User

from coordination.agents import Agent as AgentRow
from dashboard.approvals import AlreadyDecided
from dashboard.clock import database_now
from dashboard.models import Agent, Approval, Decision, Task
from dashboard.sweep.adoption import adopt_new
from dashboard.sweep.withdrawals import GONE, withdraw_dead
from tests.dashboard.cast import SECOND, TASK, ask, say
from tests.dashboard.sweep.sweeping import approve, names, the_approval

pytestmark = pytest.mark.django_db


def started(attempt: int, task: str = TASK) -> None:
    say("task.started", {}, task=task, attempt=attempt)


@pytest.mark.parametrize("end", ["completed", "failed", "canceled"])
def test_a_request_of_an_ended_task_is_withdrawn(ana: User, end: str) -> None:
    started(1)
    ask()
    adopt_new()
    assert withdraw_dead() == 0
    say(f"task.{end}", {}, attempt=1)
    assert (withdraw_dead(), withdraw_dead()) == (1, 0)
    assert (the_approval().state, the_approval().reason) == ("withdrawn", f"The task has ended: {end}.")
    assert names(Decision.objects.get()) == ["approval.withdrawn"]
    with pytest.raises(AlreadyDecided) as lost:
        approve(ana)
    assert (lost.value.decision, lost.value.reason) == ("withdrawn", f"The task has ended: {end}.")


def test_a_request_of_an_attempt_that_was_replaced_is_withdrawn() -> None:
    started(1)
    ask(fence=1)
    ask("ask-2", fence=2)
    adopt_new()
    say("task.attempt.failed", {}, attempt=1)
    started(2)
    assert withdraw_dead() == 1
    assert the_approval().reason == "Attempt 2 replaced attempt 1."
    assert Approval.objects.get(approval_id="ask-2").state == "pending"


def test_the_end_of_an_older_attempt_is_no_reason() -> None:
    started(1)
    say("task.failed", {}, attempt=1)
    ask(fence=2)
    adopt_new()
    assert withdraw_dead() == 0


def agent(agent_id: str, *, left: int | None) -> None:
    moment_ = (left or 1, "coord.ops.events", 0, 1)
    row = AgentRow(agent_group="payer", agent_id=agent_id, registered=left is None, registration=moment_)
    Agent.objects.create(agent_group="payer", agent_id=agent_id, revision=1, body=msgspec.json.encode(row).decode())


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [(GONE + SECOND, GONE + SECOND, 1), (GONE + SECOND, SECOND, 0), (GONE + SECOND, None, 0)],
)
def test_a_request_is_withdrawn_when_the_whole_group_has_been_gone_for_long(
    first: int, second: int | None, count: int
) -> None:
    ask()
    adopt_new()
    now = database_now()
    agent("payer-1", left=now - first)
    agent("payer-2", left=None if second is None else now - second)
    assert withdraw_dead() == count


def test_a_task_that_was_never_read_is_no_reason_to_withdraw() -> None:
    ask()
    adopt_new()
    assert not Task.objects.exists()
    assert withdraw_dead() == 0
