"""Answers of agents are carried over to the decisions, each once."""

import pytest
from django.contrib.auth.models import User
from django.db.models import F

from dashboard import approvals
from dashboard.models import Decision
from dashboard.outbox import event_id
from dashboard.sweep.answers import OldAnswers, learn_new
from tests.dashboard.cast import SECOND, ask, say
from tests.dashboard.sweep.sweeping import approve, published, the_approval

pytestmark = pytest.mark.django_db


def test_an_answer_is_carried_over_once_it_was_published(ana: User) -> None:
    ask()
    row_id = approve(ana).decision_id
    say("decision.applied", {"decision_id": row_id, "approval_id": "ask-1"}, at=7_000_000)
    assert learn_new() == 0
    published(row_id)
    before = the_approval().revision
    assert (learn_new(), learn_new()) == (1, 0)
    row = Decision.objects.get(pk=row_id)
    assert (row.state, row.applied_at) == ("applied", 7_000_000)
    assert the_approval().revision > before


def test_a_refusal_is_carried_over_with_its_reason(ana: User) -> None:
    ask()
    row_id = approve(ana).decision_id
    published(row_id)
    say("decision.refused", {"decision_id": row_id, "approval_id": "ask-1", "reason": "late"})
    learn_new()
    row = Decision.objects.get(pk=row_id)
    assert (row.state, row.refused_reason) == ("refused", "late")


@pytest.mark.parametrize(("name", "state"), [("decision.revoked", "applied"), ("decision.refused", "refused")])
def test_the_answer_to_a_revocation_belongs_to_the_revocation(ana: User, name: str, state: str) -> None:
    ask()
    row_id = approve(ana).decision_id
    published(row_id)
    approvals.revoke(row_id, ana)
    revoke = event_id("revoke", row_id)
    published(revoke)
    data = {"decision_id": row_id, "approval_id": "ask-1"}
    say(name, data | ({"reason": "too_late", "of": "revoke"} if name == "decision.refused" else {}))
    learn_new()
    assert Decision.objects.get(pk=revoke).state == state
    assert Decision.objects.get(pk=row_id).state == "published"


def test_old_decisions_are_looked_at_in_pages(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.sweep.answers.PAGE", 2)
    for number in range(7):
        ask(f"ask-{number}", task=f"task-{number}")
        row_id = approve(ana, approval_id=f"ask-{number}").decision_id
        published(row_id)
        say("decision.applied", {"decision_id": row_id, "approval_id": f"ask-{number}"}, task=f"task-{number}")
    Decision.objects.update(saved_at=F("saved_at") - 7200 * SECOND)
    assert learn_new() == 0
    answers = OldAnswers()
    assert [answers.learn() for _ in range(5)] == [2, 2, 2, 1, 0]
