"""Receipts: each decision and outcome once, earliest first, whatever the order."""

import random

import pytest

from coordination.receipts import KEPT, OUTCOMES, Receipt, Sent, receipt_of, with_receipt, with_sent
from tests.coordination.stories import Story


def receipt(at: int, decision: str = "d", outcome: str = "applied") -> Receipt:
    return Receipt(at, "t", 0, at, decision, outcome)


@pytest.mark.parametrize(("name", "outcome"), list(OUTCOMES.items()))
def test_each_answer_has_its_outcome(name: str, outcome: str) -> None:
    data = {"decision_id": "d", "approval_id": "ap"} | ({"reason": "late"} if outcome == "refused" else {})
    found = receipt_of(Story().say(name, task="t", data=data))
    assert (found.decision_id, found.outcome, found.approval_id) == ("d", outcome, "ap")


def test_refusing_a_revocation_means_it_came_too_late() -> None:
    data = {"decision_id": "d", "reason": "too_late", "of": "revoke"}
    assert receipt_of(Story().say("decision.refused", task="t", data=data)).outcome == "too_late"


def test_the_first_of_the_same_answer_is_kept_in_any_order() -> None:
    answers = [receipt(5), receipt(3), receipt(4, outcome="revoked"), receipt(1, "e")]
    for order in range(10):
        kept: tuple[Receipt, ...] = ()
        for one in random.Random(order).sample(answers, len(answers)):
            kept = with_receipt(kept, one)
        assert kept == (receipt(1, "e"), receipt(3), receipt(4, outcome="revoked"))


def test_a_row_keeps_the_earliest_hundred_in_any_order() -> None:
    sent = [Sent(at, "t", 0, at, f"d-{at}") for at in range(KEPT + 20)]
    for order in range(3):
        kept: tuple[Sent, ...] = ()
        for one in random.Random(order).sample(sent, len(sent)):
            kept = with_sent(kept, one)
        assert kept == tuple(sent[:KEPT])
