"""Deciding: one transaction, one winner, nothing doubled."""

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User

from coordination.approvals import decision_id
from coordination.instants import moment
from coordination.partitioner import partition_for
from coordination.signing import Keyring
from dashboard import outbox
from dashboard.approvals import (
    AlreadyDecided,
    Expired,
    KeyReused,
    UnknownApproval,
)
from dashboard.audit import first_broken
from dashboard.clock import database_now
from dashboard.decisionkey import decision_keyring
from dashboard.models import Answer, Approval, Audit, Decision, Vote
from tests.dashboard.approvals.clicking import HASH, decide, events, the_decision
from tests.dashboard.cast import SECOND, ask, person

pytestmark = pytest.mark.django_db


def test_a_click_saves_approval_vote_decision_and_audit_together(ana: User) -> None:
    ask()
    saved = decide(ana, comment="seen the invoice")
    row, approval = the_decision(), Approval.objects.get()
    assert (approval.state, approval.decided_by, approval.reason) == ("granted", "ana", "seen the invoice")
    assert (saved.state, saved.delivery, saved.decision_id) == ("granted", "saved", row.decision_id)
    assert saved.published is None
    assert saved.applied_at is None
    assert Vote.objects.get().counts
    assert row.held_until == row.saved_at + outbox.UNDO_WINDOW
    entry = Audit.objects.get()
    assert (entry.actor, entry.act, entry.subject) == (f"user-{ana.pk}", "approval.vote", "approval/ask-1")
    assert first_broken([entry]) is None


def test_the_outbox_holds_vote_fact_and_command_on_the_partition_of_the_task(ana: User) -> None:
    request = ask()
    decide(ana, comment="go")
    vote, fact, command = events(the_decision())
    assert [vote.name, fact.name, command.name] == [
        "approval.vote.recorded",
        "approval.granted",
        "task.resume.requested",
    ]
    assert [vote.topic, fact.topic] == ["coord.review.approval.events"] * 2
    assert command.topic == "coord.run.decision.commands"
    assert {record.partition for record in outbox.unpack(the_decision().records)} == {partition_for(b"task-1", 12)}
    assert the_decision().relay_shard == partition_for(b"task-1", 12)
    assert (fact.causation_id, command.causation_id) == (request.request_id, fact.id)
    assert (command.target_group, command.attempt, command.partition_key) == ("payer", 1, "task-1")


def test_the_command_is_signed_and_names_no_reviewer(ana: User) -> None:
    ask()
    decide(ana, comment="go")
    command = outbox.unpack(the_decision().records)[-1]
    data = msgspec.json.decode(command.value or b"")
    Keyring.from_file(decision_keyring()).verify(data)
    assert (data["decision"], data["content_hash"], data["fence"], data["request_version"]) == ("approve", HASH, 1, 1)
    whole = (command.value or b"") + b"".join(value for _, value in command.headers)
    assert not any(name in whole for name in (b"ana", f"user-{ana.pk}".encode()))


def test_the_private_key_is_for_its_owner_only(ana: User, settings: Any) -> None:
    ask()
    decide(ana)
    assert (Path(settings.LINESIDE_STATE) / "decision.key").stat().st_mode & 0o777 == 0o600


def test_a_reject_denies_with_its_reason(ana: User) -> None:
    ask()
    assert decide(ana, "reject", comment="wrong supplier").state == "denied"
    _, fact, command = events(the_decision())
    assert (fact.name, command.data.decision, command.data.feedback) == ("approval.denied", "reject", "wrong supplier")


def test_an_answer_to_a_question_reaches_the_agent(ana: User) -> None:
    ask(kind="question", question="Which account?")
    decide(ana, "respond", response={"account": 7})
    assert events(the_decision())[-1].data.response == {"account": 7}


def test_a_decision_is_valid_until_its_policy_or_its_expiry_ends_it(ana: User) -> None:
    now = database_now()
    ask("ask-1", policy={"validity_ms": 60_000})
    ask("ask-2", expires_at=moment(now + 30 * SECOND), policy={"validity_ms": 60_000})
    ask("ask-3")
    first, second, third = (decide(ana, approval_id=f"ask-{number}") for number in (1, 2, 3))
    assert first.valid_until == (first.saved_at or 0) + 60 * SECOND
    assert second.valid_until == now + 30 * SECOND
    assert third.valid_until is not None


def test_an_unknown_request_is_refused(ana: User) -> None:
    with pytest.raises(UnknownApproval):
        decide(ana, approval_id="nothing")


def test_the_same_click_again_is_the_same_decision(ana: User) -> None:
    ask()
    first, second = decide(ana, comment="go"), decide(ana, comment="go")
    assert first.decision_id == second.decision_id == decision_id("ask-1", 1, 1)
    assert (Decision.objects.count(), Vote.objects.count(), Audit.objects.count()) == (1, 1, 1)


def test_an_idempotency_key_returns_the_first_answer(ana: User) -> None:
    ask(policy={"rule": "quorum", "quorum": 2})
    first = decide(ana, idempotency_key="k")
    decide(person("cy"))
    assert decide(ana, idempotency_key="k") == first
    assert first.state == "pending"
    assert Answer.objects.count() == 1


def test_an_idempotency_key_is_for_one_decision(ana: User) -> None:
    ask()
    ask("ask-2")
    decide(ana, idempotency_key="k")
    with pytest.raises(KeyReused):
        decide(ana, approval_id="ask-2", idempotency_key="k")
    assert Approval.objects.get(approval_id="ask-2").state == "pending"


def test_the_loser_learns_who_won_when_and_with_what_and_keeps_the_comment(ana: User, bo: User) -> None:
    ask()
    won = decide(ana, "reject", comment="wrong supplier")
    with pytest.raises(AlreadyDecided) as lost:
        decide(bo, comment="looks fine to me")
    told = lost.value
    assert (told.winner, told.decision, told.reason) == ("ana", "reject", "wrong supplier")
    assert told.when <= (won.saved_at or 0)
    note = Vote.objects.get(person=bo)
    assert (note.counts, note.comment, note.note) == (False, "looks fine to me", "Too late: reject by ana.")
    assert Decision.objects.count() == 1


def test_who_decides_again_otherwise_is_told_that_they_decided(ana: User) -> None:
    ask()
    decide(ana)
    with pytest.raises(AlreadyDecided) as lost:
        decide(ana, "reject")
    assert (lost.value.winner, lost.value.decision) == ("ana", "approve")


def test_a_click_after_expiry_is_told_both_instants(ana: User) -> None:
    now = database_now()
    ask(expires_at=moment(now - SECOND), at=now - 60 * SECOND)
    with pytest.raises(Expired) as lost:
        decide(ana, comment="let it pass")
    assert lost.value.at == now - SECOND
    assert lost.value.clicked_at >= now
    assert Approval.objects.get().state == "pending"
    assert Vote.objects.get().comment == "let it pass"
    assert not Decision.objects.exists()


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_web_host_whose_clock_is_off_changes_no_outcome(
    ana: User, bo: User, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    skew, seconds, nanoseconds = minutes * 60, time.time, time.time_ns
    monkeypatch.setattr("time.time", lambda: seconds() + skew)
    monkeypatch.setattr("time.time_ns", lambda: nanoseconds() + skew * 1_000_000_000)
    now = database_now()
    ask("open", expires_at=moment(now + 60 * SECOND))
    ask("over", expires_at=moment(now - SECOND))
    saved = decide(ana, approval_id="open")
    assert (saved.state, saved.valid_until) == ("granted", now + 60 * SECOND)
    assert saved.saved_at is not None
    assert abs(saved.saved_at - now) < 30 * SECOND
    with pytest.raises(Expired):
        decide(bo, approval_id="over")
