"""Several requests with one click: each has its own answer, and what may not go together is refused as a whole."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from coordination.approvals import content_hash
from dashboard.approvals import InvalidDecision
from dashboard.approvals.bulk import Item, decide_many
from dashboard.models import Audit, Decision
from dashboard.sweep.adoption import adopt_new
from tests.dashboard.approvals.clicking import HASH, decide
from tests.dashboard.cast import PAY, ask

pytestmark = pytest.mark.django_db


def asked(*names: str, **given: Any) -> list[Item]:
    for name in names:
        ask(name, **({"risk": "low"} | given))
    adopt_new()
    return [Item(name, 1, HASH) for name in names]


def outcomes(user: User, items: list[Item], decision: str = "approve", **given: Any) -> dict[str, str]:
    return {each.approval_id: each.outcome for each in decide_many(user, decision, items, **given)}


def test_each_has_its_own_answer_and_its_own_entry(ana: User, bo: User) -> None:
    items = asked("free", "taken", "new")
    items += asked("mine", on_behalf_of=["ana"])
    decide(bo, "reject", approval_id="taken")
    ask("new", version=2, action=PAY | {"target": "supplier 8"}, risk="low")
    assert outcomes(ana, items) == {"free": "won", "taken": "lost", "new": "changed", "mine": "forbidden"}
    assert Decision.objects.filter(kind="decision", person=ana).count() == 1
    entries = Audit.objects.filter(actor=f"user-{ana.pk}").values_list("act", "subject")
    assert set(entries) == {("approval.vote", "approval/free"), ("approval.vote.lost", "approval/taken")}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"action": PAY | {"name": "refund"}}, "same action and policy"),
        ({"policy": {"rule": "quorum", "quorum": 2}}, "same action and policy"),
        ({"risk": "high"}, "one by one"),
        ({"kind": "question"}, "one by one"),
    ],
)
def test_what_differs_or_is_of_high_risk_is_not_decided_together(ana: User, other: dict[str, Any], words: str) -> None:
    items = asked("one") + asked("other", **other)
    with pytest.raises(InvalidDecision, match=words):
        decide_many(ana, "approve", items)
    assert not Decision.objects.exists()


def test_at_most_fifty_and_each_once(ana: User) -> None:
    with pytest.raises(InvalidDecision, match="At most 50"):
        decide_many(ana, "reject", asked(*(f"ask-{number}" for number in range(51))))
    one = asked("one")
    with pytest.raises(InvalidDecision, match="each once"):
        decide_many(ana, "reject", one + one)


@pytest.mark.parametrize("decision", ["edit", "respond"])
def test_only_yes_and_no_are_said_to_many(ana: User, decision: str) -> None:
    with pytest.raises(InvalidDecision, match="one by one"):
        decide_many(ana, decision, asked("one"))


def test_the_same_post_again_gets_the_same_answers(ana: User) -> None:
    items = asked("one", "two")
    first = decide_many(ana, "approve", items, key="k")
    assert [each.receipt for each in decide_many(ana, "approve", items, key="k")] == [each.receipt for each in first]
    assert Decision.objects.filter(kind="decision").count() == 2


def test_content_that_was_not_shown_is_not_decided(ana: User) -> None:
    asked("one")
    assert outcomes(ana, [Item("one", 1, content_hash({"name": "other"}))]) == {"one": "changed"}
