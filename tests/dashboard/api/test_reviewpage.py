"""The review: what will change, who voted and whether it counts, what the agent cannot have written."""

from pathlib import Path
from typing import Any

import pytest

from coordination.approvals import content_hash, with_args
from dashboard import approvals
from dashboard.api.reviewpage import Review, detail, note_view, review
from dashboard.clock import database_now
from dashboard.models import Approval, Request
from tests.dashboard.cast import PAY, ask, person

pytestmark = pytest.mark.django_db
HASH = content_hash(PAY)
QUORUM = {"rule": "quorum", "quorum": 2, "required_groups": ["finance"], "name": "refunds", "version": "6"}


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


def shown(user: Any) -> Review:
    return review(Request.objects.get(approval_id="ask-1"), user, database_now())


def vote(user: Any, decision: str, hash_: str = HASH, args: Any = None) -> None:
    approvals.decide(
        approval_id="ask-1", user=user, decision=decision, request_version=1, content_hash=hash_, args=args
    )


def test_without_preview_or_edit_the_bare_arguments_are_shown() -> None:
    ask("ask-1")
    found = shown(person("ana"))
    assert [(change.sign, change.path) for change in found.changes["changes"]] == [("", "amount"), ("", "items")]
    assert found.changes["complete"]


def test_a_preview_is_shown_as_before_and_after() -> None:
    preview = {"kind": "json", "before": {"state": "up"}, "after": {"state": "down"}, "complete": False}
    ask("ask-1", preview=preview)
    found = shown(person("ana"))
    assert [(change.sign, change.old, change.new) for change in found.changes["changes"]] == [("~", '"up"', '"down"')]
    assert not found.changes["complete"]


def test_after_an_edit_the_page_shows_and_hashes_what_would_run() -> None:
    ask("ask-1", policy=QUORUM)
    args = PAY["args"] | {"amount": "17910.00"}
    vote(person("marta"), "edit", args=args)
    found = shown(person("ana"))
    assert found.args == args
    assert found.row["content_hash"] == content_hash(with_args(PAY, args))
    assert found.changes["edited"]["by"] == "marta"
    assert [change.path for change in found.changes["changes"]] == ["amount"]


def test_the_vote_of_whoever_edited_does_not_count_and_says_so() -> None:
    ask("ask-1", policy=QUORUM)
    vote(person("marta"), "edit", args={"amount": "1"})
    found = shown(person("ana"))
    assert not found.votes[0]["counts"]
    assert "edited the arguments" in found.votes[0]["note"]
    assert found.policy["text"].startswith("0 of 2.")


def test_the_standing_names_the_group_that_is_missing() -> None:
    ask("ask-1", policy=QUORUM)
    vote(person("ana"), "approve")
    found = shown(person("bo"))
    assert found.policy["text"] == "1 of 2. Needs one from finance."
    assert (found.policy["voted"], shown(person("cy")).policy["voted"]) == (False, False)


def test_nobody_decides_for_themselves() -> None:
    ask("ask-1", on_behalf_of=["ana"])
    assert "on behalf" in shown(person("ana")).policy["barred"]
    assert shown(person("bo")).policy["barred"] == ""


def test_whoever_the_task_runs_for_may_reject_and_nothing_else() -> None:
    ask("ask-1", on_behalf_of=["ana"])
    found = shown(person("ana"))
    assert all("on behalf" in found.off[word] for word in ("approve", "edit", "respond"))
    assert (found.off["reject"], found.refusal) == ("", "")


def test_what_has_another_hash_than_was_asked_for_can_only_be_rejected() -> None:
    ask("ask-1", content_hash="0" * 64)
    found = shown(person("ana"))
    assert "does not have the hash" in found.off["approve"]
    assert found.off["reject"] == ""


def test_a_value_that_ends_far_below_is_shown_to_its_end() -> None:
    ask("ask-1", action=PAY | {"args": {"note": "x" * 40_000 + "and then delete everything"}})
    found = shown(person("ana"))
    assert found.changes["changes"][0].new.endswith('and then delete everything"')
    assert found.changes["complete"]


def test_integers_that_readers_understand_differently_are_never_approved() -> None:
    ask("ask-1", action={"name": "pay", "args": {"id": 1}})
    row = Request.objects.get()
    row.body = row.body.replace('"id":1}', f'"id":{2**53 + 1}}}')
    row.save()
    assert "does not have the hash" in shown(person("ana")).off["approve"]


def test_without_the_right_the_buttons_are_off_with_the_reason() -> None:
    ask("ask-1")
    assert "no right" in shown(person("eve", may_decide=False)).refusal
    assert shown(person("ana")).refusal == ""


def test_a_decided_request_cannot_be_decided_again() -> None:
    ask("ask-1")
    ana = person("ana")
    vote(ana, "approve")
    assert shown(ana).refusal == "This request is granted. Nothing is left to decide."


def test_only_what_the_agent_allows_is_offered() -> None:
    ask("ask-1", allowed_decisions=["reject", "approve"])
    assert shown(person("ana")).allowed == ["approve", "reject"]


@pytest.mark.parametrize(
    ("risk", "reversibility", "dangerous"),
    [("high", "no", True), ("critical", "no", True), ("high", "compensable", False), ("medium", "no", False)],
)
def test_high_and_irreversible_asks_for_the_name(risk: str, reversibility: str, dangerous: bool) -> None:
    ask("ask-1", risk=risk, reversibility=reversibility, preview={"complete": True})
    assert shown(person("ana")).dangerous is dangerous


def test_the_first_look_of_somebody_who_may_decide_is_noted_once() -> None:
    ask("ask-1")
    note_view(shown(person("eve", may_decide=False)), person("fay", may_decide=False))
    assert not Approval.objects.exists()
    ana = person("ana")
    note_view(shown(ana), ana)
    first = Approval.objects.get().first_viewed_at
    assert first is not None
    note_view(shown(ana), ana)
    assert Approval.objects.get().first_viewed_at == first


def test_the_detail_carries_the_whole_action_and_the_votes() -> None:
    ask("ask-1", policy=QUORUM)
    vote(person("ana"), "approve")
    found = detail(shown(person("bo")))
    assert found["action"]["args"] == PAY["args"]
    assert [each["person"] for each in found["votes"]] == ["ana"]
    assert found["receipt"] is None
