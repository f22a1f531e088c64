"""The receipt: three stops, never a tick ahead of the fact."""

from typing import Any

import pytest

from coordination.receipts import Receipt
from coordination.requests import Request
from dashboard.api.requestrows import receipt_row, request_row, risk_of, state_of, title_of
from dashboard.models import Approval, Decision
from tests.dashboard.scenes import NOW, SECOND

PLACE = ["coord.run.decision.commands", 4, 9182, NOW + SECOND]
FACT = ["coord.review.approval.events", 4, 77, NOW + SECOND]


def decision(**fields: Any) -> Decision:
    given: dict[str, Any] = {
        "decision_id": "d-1",
        "verdict": "approve",
        "saved_at": NOW,
        "provenance": {"by": "policy"},
    }
    return Decision(**(given | fields))


def published(**fields: Any) -> Decision:
    return decision(state="published", positions=[FACT, PLACE], published_at=NOW + SECOND, **fields)


def stops(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(stop["name"], stop["stop"]) for stop in row["stops"]]


def test_a_saved_decision_has_one_tick() -> None:
    row = receipt_row(decision())
    assert stops(row) == [("Saved", "done"), ("Published", "todo"), ("Applied", "todo")]
    assert (row["published"], row["applied_at"], row["refused"], row["stage"]) == (None, None, None, "Saved")


def test_the_position_of_a_published_decision_is_that_of_its_command() -> None:
    row = receipt_row(published())
    assert row["published"] == {
        "topic": PLACE[0],
        "partition": 4,
        "offset": 9182,
        "at": "2026-09-21T14:13:21.000000Z",
        "position": "4@9182",
        "url": "/records/coord.run.decision.commands/4/9182/",
    }
    assert stops(row)[1:] == [("Published", "done"), ("Applied", "todo")]


def test_the_agents_answer_ends_the_receipt() -> None:
    answer = Receipt(NOW + 2 * SECOND, "t", 0, 1, "d-1", "applied")
    row = receipt_row(published(), [answer])
    assert stops(row)[2] == ("Applied", "done")
    assert row["applied_at"] == "2026-09-21T14:13:22.000000Z"


def test_an_answer_to_another_decision_is_no_answer() -> None:
    answer = Receipt(NOW, "t", 0, 1, "d-2", "applied")
    assert receipt_row(published(), [answer])["applied_at"] is None


def test_a_refusal_says_why() -> None:
    answer = Receipt(NOW, "t", 0, 1, "d-1", "refused", "hash_mismatch")
    row = receipt_row(published(), [answer])
    assert row["refused"]["reason"] == "hash_mismatch"
    assert stops(row)[2] == ("Refused", "bad")


def test_an_unreachable_log_is_named_at_the_second_stop() -> None:
    row = receipt_row(decision(error="Kafka unreachable since 12:00:40."))
    assert stops(row)[1] == ("Published", "held")
    assert "It will be sent by itself." in row["stops"][1]["detail"]


@pytest.mark.parametrize(
    ("state", "name"),
    [("late", "Not sent in time"), ("undone", "Undone"), ("undeliverable", "Cannot be delivered")],
)
def test_what_was_never_sent_says_so_and_is_never_applied(state: str, name: str) -> None:
    row = receipt_row(decision(state=state))
    assert row["stops"][1]["name"] == name
    assert row["stops"][2]["stop"] == "todo"
    assert row["stage"] == name


def test_silence_of_the_agent_is_told_after_publishing_alone() -> None:
    assert receipt_row(decision(), waits="No answer")["stops"][2]["detail"] == ""
    assert receipt_row(published(), waits="No answer")["stops"][2]["detail"] == "No answer"


def test_the_risk_in_force_is_never_below_what_our_rules_say() -> None:
    request = Request(approval_id="a", version=1, risk="low")
    assert risk_of(request, None) == "low"
    assert risk_of(request, Approval(approval_id="a", version=1, risk="high")) == "high"
    assert risk_of(Request(approval_id="a", risk="tiny"), None) == "high"


def test_our_decision_counts_for_its_version_alone() -> None:
    approval = Approval(approval_id="a", version=1, state="granted")
    assert state_of(Request(approval_id="a", version=1), approval) == "granted"
    assert state_of(Request(approval_id="a", version=2), approval) == "pending"


def test_a_request_without_words_is_named_by_its_action() -> None:
    assert title_of(Request(approval_id="a", action={"name": "pay"})) == "pay"
    assert title_of(Request(approval_id="a")) == "request a"
    assert title_of(Request(approval_id="a", title="Pay", question="Pay?")) == "Pay"


def test_a_question_is_no_risk() -> None:
    row = request_row(Request(approval_id="a", version=1, kind="question", risk="high"), now=NOW)
    assert row["risk_label"] == "question"
