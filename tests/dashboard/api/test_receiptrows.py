"""The receipt: three stops, never a tick ahead of the fact; and the sentences of what went wrong."""

from typing import Any

import pytest

from coordination.receipts import Receipt
from dashboard.api.receiptrows import receipt_row
from dashboard.models import Decision
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


def test_a_refusal_says_why_and_when() -> None:
    answer = Receipt(NOW, "t", 0, 1, "d-1", "refused", "superseded", detail="Attempt 3 replaced attempt 2.")
    row = receipt_row(published(), [answer])
    assert row["refused"]["reason"] == "superseded"
    assert row["text"] == "Published, but refused: attempt 3 replaced attempt 2 at 2026-09-21T14:13:20Z."
    assert stops(row)[2] == ("Refused", "bad")


def test_a_refusal_without_a_sentence_gets_one() -> None:
    row = receipt_row(published(), [Receipt(NOW, "t", 0, 1, "d-1", "refused", "hash_mismatch")])
    assert "what would run is not what was approved" in row["text"]


def test_a_second_copy_that_was_refused_does_not_undo_that_it_was_applied() -> None:
    answers = [Receipt(NOW, "t", 0, 1, "d-1", "applied"), Receipt(NOW + 1, "t", 0, 2, "d-1", "refused", "duplicate")]
    row = receipt_row(published(), answers)
    assert (row["stage"], row["text"], row["refused"]) == ("Applied", "", None)


def test_an_unreachable_log_is_named_and_the_clock_runs_until_it_is_too_late() -> None:
    row = receipt_row(decision(error="Kafka unreachable since 2026-09-21T14:13:10Z."))
    assert stops(row)[1] == ("Published", "held")
    assert row["text"] == (
        "Saved 2026-09-21T14:13:20Z. Not sent yet: Kafka unreachable since 2026-09-21T14:13:10Z. "
        "It will be sent by itself."
    )
    assert row["counts_down"]


@pytest.mark.parametrize(
    ("state", "name", "text"),
    [
        ("late", "Not sent in time", "Not sent in time. The agent was not given permission."),
        ("undone", "Undone", "Undone before it was sent."),
        ("undeliverable", "Cannot be delivered", "Saved; cannot be delivered: no write right on the topic."),
    ],
)
def test_what_was_never_sent_says_so_and_is_never_applied(state: str, name: str, text: str) -> None:
    row = receipt_row(decision(state=state, error="no write right on the topic." if state == "undeliverable" else ""))
    assert row["stops"][1]["name"] == name
    assert row["stops"][2]["stop"] == "todo"
    assert (row["stage"], row["text"]) == (name, text)


def test_silence_of_the_agent_is_told_between_publishing_and_its_answer_alone() -> None:
    silence = {"group": "payer", "waiting": 12}
    assert receipt_row(decision(), silence=silence)["silent"] is None
    told = receipt_row(published(), silence=silence)["silent"]
    assert told == {
        "position": "4@9182",
        "since": "2026-09-21T14:13:21.000000Z",
        "group": "payer",
        "waiting": 12,
        "url": "/agents/payer/",
    }
    assert receipt_row(published(applied_at=NOW), silence=silence)["silent"] is None


def test_only_what_was_published_and_not_answered_can_be_revoked() -> None:
    asked = decision(kind="revoke")
    assert receipt_row(published())["revocable"]
    assert not receipt_row(decision())["revocable"]
    assert not receipt_row(published(), revoke=asked)["revocable"]
    assert not receipt_row(published(applied_at=NOW))["revocable"]


def test_a_revocation_that_came_too_late_names_what_undoes_it() -> None:
    answers = [
        Receipt(NOW, "t", 0, 1, "d-1", "applied"),
        Receipt(NOW + SECOND, "t", 0, 2, "d-1", "too_late", compensation_task_id="task-9"),
    ]
    told = receipt_row(published(run_id="run-1"), answers, decision(kind="revoke"))["revocation"]
    assert told["text"] == "Already executed 2026-09-21T14:13:20Z."
    assert told["url"] == "/runs/run-1/tasks/task-9/"


def test_a_rule_is_named_with_its_version() -> None:
    row = receipt_row(decision(provenance={"by": "policy", "policy_rule": "small refunds", "policy_rule_version": 3}))
    assert row["by"] == "rule small refunds, version 3"
