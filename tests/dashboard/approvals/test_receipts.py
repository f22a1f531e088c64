"""Receipts: never ahead of the fact."""

import pytest
from django.contrib.auth.models import User

from dashboard import approvals, outbox
from dashboard.approvals import (
    AlreadyDecided,
)
from dashboard.models import Decision
from tests.dashboard.approvals.clicking import decide, the_decision, told
from tests.dashboard.cast import ask, hear, person, say

pytestmark = pytest.mark.django_db


def test_the_receipt_never_runs_ahead_of_the_fact(ana: User) -> None:
    ask()
    assert approvals.receipt_of("ask-1") is None
    row_id = decide(ana).decision_id
    assert (told().published, told().applied_at) == (None, None)
    places = [["coord.review.approval.events", 4, 7, 10], ["coord.run.decision.commands", 4, 9182, 10]]
    Decision.objects.update(state="published", positions=places, published_at=10)
    assert told().published == approvals.Published("coord.run.decision.commands", 4, 9182, 10)
    assert told().applied_at is None
    say("decision.applied", {"decision_id": row_id, "approval_id": "ask-1"}, at=5_000_000)
    assert told().applied_at == 5_000_000


def test_a_refusal_tells_its_reason(ana: User) -> None:
    ask()
    row_id = decide(ana).decision_id
    say("decision.refused", {"decision_id": row_id, "approval_id": "ask-1", "reason": "superseded"})
    assert (told().refused_reason, told().applied_at) == ("superseded", None)


def test_the_fact_on_the_log_changes_nothing_here(ana: User) -> None:
    ask()
    decide(ana)
    hear(*outbox.unpack(the_decision().records))
    assert told().state == "granted"
    with pytest.raises(AlreadyDecided):
        decide(person("cy"))
