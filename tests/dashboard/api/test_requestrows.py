"""Rows of requests: the risk in force, whose decision counts, names, what may be decided together."""

from coordination.requests import Request
from dashboard.api.requestrows import bulk_key, request_row, risk_of, state_of, title_of
from dashboard.models import Approval
from tests.dashboard.scenes import NOW


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


def test_a_deferred_request_waits_at_the_end_until_its_time() -> None:
    request = Request(approval_id="a", version=1, due_at=NOW - 1)
    deferred = Approval(approval_id="a", version=1, deferred_until=NOW + 1)
    assert request_row(request, deferred, now=NOW)["group"] == "Later"
    assert request_row(request, deferred, now=NOW + 1)["group"] == "Overdue"


def test_what_is_hidden_in_a_title_is_written_out() -> None:
    row = request_row(Request(approval_id="a", version=1, title="pay \u202e001"), now=NOW)
    assert row["title"] == "pay \\u202e001"


def test_only_low_and_medium_risk_of_one_action_and_policy_may_be_decided_together() -> None:
    one = Request(approval_id="a", version=1, action={"name": "pay"}, policy={"rule": "any"})
    other = Request(approval_id="b", version=1, action={"name": "pay"}, policy={"rule": "all"})
    assert bulk_key(one, "medium") == bulk_key(one, "low") != bulk_key(other, "low")
    assert bulk_key(one, "high") == ""


def test_what_was_handed_up_at_its_end_does_not_expire_any_more() -> None:
    request = Request(approval_id="a", version=1, expires_at=NOW)
    handed = Approval(approval_id="a", version=1, expires_at=None, escalated_to="operator")
    row = request_row(request, handed, now=NOW + 1)
    assert (row["expires_at"], row["escalated_to"]) == (None, "operator")
    assert request_row(Request(approval_id="a", version=2, expires_at=NOW), handed, now=NOW)["escalated_to"] == ""
