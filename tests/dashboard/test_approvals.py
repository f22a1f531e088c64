"""Deciding: one winner, nothing lost, nothing doubled, nothing decided but what was shown."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User

from coordination.approvals import content_hash, decision_id, with_args
from coordination.envelope import Decoder
from coordination.event import Event
from coordination.eventlog import NewRecord, StoredRecord
from coordination.instants import moment
from coordination.partitioner import partition_for
from coordination.signing import Keyring
from dashboard import approvals, outbox
from dashboard.approvals import (
    AlreadyDecided,
    Expired,
    InvalidDecision,
    KeyReused,
    NotAllowed,
    Receipt,
    RequestChanged,
    UnknownApproval,
)
from dashboard.audit import first_broken
from dashboard.clock import database_now
from dashboard.decisionkey import decision_keyring
from dashboard.models import Answer, Approval, Audit, Claim, Decision, Vote
from tests.dashboard.cast import PAY, SECOND, ask, hear, person, say

pytestmark = pytest.mark.django_db
HASH = content_hash(PAY)


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


@pytest.fixture
def ana() -> User:
    return person("ana")


@pytest.fixture
def bo() -> User:
    return person("bo")


def decide(user: User, decision: str = "approve", **given: Any) -> Receipt:
    shown: dict[str, Any] = {"approval_id": "ask-1", "request_version": 1, "content_hash": HASH}
    return approvals.decide(user=user, decision=decision, **(shown | given))


def events(row: Decision) -> list[Event]:
    return [event_of(record) for record in outbox.unpack(row.records)]


def event_of(record: NewRecord) -> Event:
    stored = StoredRecord(record.topic, record.partition or 0, 0, 0, 0, record.key, record.value, record.headers)
    return Decoder().decode(stored)


def the_decision() -> Decision:
    return Decision.objects.get(kind="decision")


# One transaction

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


# Repetition

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


# One winner

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


# What was shown

def test_a_decision_on_an_older_version_decides_nothing(ana: User) -> None:
    ask()
    ask(version=2, action=PAY | {"target": "supplier 8"})
    with pytest.raises(RequestChanged) as changed:
        decide(ana)
    assert (changed.value.old_version, changed.value.new_version) == (1, 2)
    assert changed.value.difference["after"]["target"] == "supplier 8"
    assert not Vote.objects.exists()


def test_another_hash_decides_nothing(ana: User) -> None:
    ask()
    with pytest.raises(RequestChanged):
        decide(ana, content_hash=content_hash({"name": "other"}))
    assert not Decision.objects.exists()


def test_a_higher_version_voids_the_votes(ana: User, bo: User) -> None:
    ask(policy={"rule": "quorum", "quorum": 2})
    decide(ana)
    ask(version=2, policy={"rule": "quorum", "quorum": 2})
    assert decide(bo, request_version=2).text == "1 of 2. Needs one more."
    assert decide(ana, request_version=2).state == "granted"


def test_a_higher_version_reopens_a_decided_request(ana: User) -> None:
    ask()
    decide(ana)
    ask(version=2)
    assert decide(ana, "reject", request_version=2).state == "denied"
    assert set(Decision.objects.values_list("version", flat=True)) == {1, 2}


# Edits

def test_an_edit_replaces_all_arguments_and_carries_both_hashes(ana: User) -> None:
    ask()
    args = {"amount": "17910.00"}
    decide(ana, "edit", args=args)
    _, fact, command = events(the_decision())
    edited = content_hash(with_args(PAY, args))
    assert (fact.data.content_hash, fact.data.edited_hash, fact.data.args) == (HASH, edited, args)
    assert (command.data.args, command.data.content_hash, command.data.decision) == (args, edited, "edit")


SCHEMA = {"type": "object", "properties": {"amount": {"type": "string"}}, "required": ["amount"]}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"amount": 5}, "at \\$.amount"),
        ({}, "'amount' is a required property"),
        (None, "Write the arguments"),
        ({"amount": "1", "big": 2**53}, "cannot be sent"),
        ({"amount": "a\0b"}, "NUL"),
        ({"amount": "x" * 60_000}, "the limit is"),
    ],
)
def test_arguments_that_cannot_run_are_refused(ana: User, args: Any, words: str) -> None:
    action = PAY | {"args_schema": SCHEMA}
    ask(action=action)
    with pytest.raises(InvalidDecision, match=words):
        decide(ana, "edit", args=args, content_hash=content_hash(action))
    assert not Vote.objects.exists()


def test_a_schema_is_never_fetched_from_elsewhere(ana: User) -> None:
    action = PAY | {"args_schema": {"$ref": "http://127.0.0.1:9/schema.json"}}
    ask(action=action)
    with pytest.raises(InvalidDecision, match="schema is broken"):
        decide(ana, "edit", args={}, content_hash=content_hash(action))


def test_whoever_agrees_after_an_edit_agrees_to_the_edit(ana: User, bo: User) -> None:
    ask(policy={"rule": "quorum", "quorum": 2})
    args = {"amount": "17910.00"}
    edited = content_hash(with_args(PAY, args))
    assert decide(ana, "edit", args=args).state == "pending"
    with pytest.raises(RequestChanged) as changed:
        decide(bo)
    assert changed.value.difference["after"]["args"] == args
    assert decide(bo, content_hash=edited).text == "1 of 2. Needs one more."
    assert decide(person("cy"), content_hash=edited).decision == "edit"


def test_a_decision_that_was_not_offered_is_refused_but_a_reject_always_is(ana: User) -> None:
    ask(allowed_decisions=["approve"])
    with pytest.raises(InvalidDecision, match="allows approve, reject"):
        decide(ana, "respond", response="x")
    assert decide(ana, "reject").state == "denied"


# Quorum

def test_two_of_three_decide_and_each_vote_is_told(ana: User, bo: User) -> None:
    ask(policy={"rule": "quorum", "quorum": 2})
    assert decide(ana).text == "1 of 2. Needs one more."
    assert decide(bo).state == "granted"
    with pytest.raises(AlreadyDecided):
        decide(person("cy"))
    kinds = [(row.kind, [event.name for event in events(row)]) for row in Decision.objects.order_by("saved_at")]
    assert kinds == [
        ("vote", ["approval.vote.recorded"]),
        ("decision", ["approval.vote.recorded", "approval.granted", "task.resume.requested"]),
    ]


def test_one_reject_ends_it_whatever_the_quorum(ana: User, bo: User) -> None:
    ask(policy={"rule": "quorum", "quorum": 3})
    decide(ana)
    assert decide(bo, "reject").state == "denied"


def test_a_person_votes_once(ana: User) -> None:
    ask(policy={"rule": "quorum", "quorum": 2})
    decide(ana)
    with pytest.raises(NotAllowed, match="voted already: approve"):
        decide(ana, "reject")
    assert Vote.objects.count() == 1


def test_nobody_the_task_runs_on_behalf_of_may_agree() -> None:
    ask(on_behalf_of=["planner-1", "dee"], policy={"rule": "quorum", "quorum": 2})
    dee = person("dee")
    with pytest.raises(NotAllowed, match="on behalf of this person"):
        decide(dee)
    assert decide(dee, "reject").state == "denied"


@pytest.mark.parametrize("name", ["dee", "dee@example.org", "opaque"])
def test_a_person_is_known_under_every_name(name: str) -> None:
    dee = person("dee")
    ask(on_behalf_of=[f"user-{dee.pk}" if name == "opaque" else name])
    with pytest.raises(NotAllowed):
        decide(dee)


def test_service_accounts_never_vote() -> None:
    ask()
    for decision in ("approve", "reject"):
        with pytest.raises(NotAllowed, match="never vote"):
            decide(person(f"bot-{decision}", "service"), decision)


def test_without_the_right_nobody_votes() -> None:
    ask()
    with pytest.raises(NotAllowed, match="no right"):
        decide(person("stranger", may_decide=False))


def test_required_groups_must_agree(ana: User) -> None:
    ask(policy={"rule": "quorum", "quorum": 2, "required_groups": ["finance"]})
    decide(ana)
    assert decide(person("cy")).text == "2 of 2. Needs one from finance."
    assert decide(person("fin", "finance")).state == "granted"


# Taking back

def test_an_undo_reopens_the_request_and_sends_nothing(ana: User, bo: User) -> None:
    ask()
    first = decide(ana)
    assert approvals.undo(first.decision_id, ana).state == "pending"
    assert Decision.objects.get(pk=first.decision_id).state == "undone"
    second = decide(bo, "reject")
    assert (second.state, second.round) == ("denied", 2)
    assert second.decision_id != first.decision_id


def test_an_undo_voids_all_votes_of_its_round(ana: User, bo: User) -> None:
    ask(policy={"rule": "quorum", "quorum": 2})
    decide(ana)
    approvals.undo(decide(bo).decision_id, bo)
    assert decide(bo).text == "1 of 2. Needs one more."


@pytest.mark.parametrize("reason", ["another person", "window passed", "tried"])
def test_what_is_not_held_or_not_ones_own_cannot_be_undone(ana: User, bo: User, reason: str) -> None:
    ask()
    row_id = decide(ana).decision_id
    if reason == "window passed":
        Decision.objects.update(held_until=database_now() - 1)
    if reason == "tried":
        Decision.objects.update(tried_at=database_now())
    with pytest.raises(NotAllowed):
        approvals.undo(row_id, bo if reason == "another person" else ana)
    assert Approval.objects.get().state == "granted"


def published(decision: str) -> None:
    Decision.objects.filter(pk=decision).update(state="published", published_at=database_now())


def test_a_published_decision_is_revoked_by_asking_the_agent(ana: User, bo: User) -> None:
    ask()
    row_id = decide(ana).decision_id
    with pytest.raises(NotAllowed, match="not sent"):
        approvals.revoke(row_id, bo)
    published(row_id)
    for _ in range(2):
        assert approvals.revoke(row_id, bo, "wrong account").revocation == "asked"
    row = Decision.objects.get(kind="revoke")
    (event,) = events(row)
    assert (event.name, event.data.decision_id, event.data.reason) == (
        "decision.revoke.requested",
        row_id,
        "wrong account",
    )
    Keyring.from_file(decision_keyring()).verify(msgspec.json.decode(outbox.unpack(row.records)[0].value or b""))
    say("decision.revoked", {"decision_id": row_id, "approval_id": "ask-1"})
    assert told().revocation == "revoked"


def test_an_applied_decision_cannot_be_revoked(ana: User) -> None:
    ask()
    row_id = decide(ana).decision_id
    published(row_id)
    say("decision.applied", {"decision_id": row_id, "approval_id": "ask-1"})
    with pytest.raises(NotAllowed, match="Already executed"):
        approvals.revoke(row_id, ana)


# The receipt

def told() -> Receipt:
    found = approvals.receipt_of("ask-1")
    assert found is not None
    return found


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


# Claims

def test_a_claim_is_a_lease_others_see(ana: User, bo: User) -> None:
    ask()
    mine = approvals.claim("ask-1", ana)
    assert approvals.claim("ask-1", bo).person == ana
    Claim.objects.update(until=database_now() - 1)
    assert approvals.claim("ask-1", bo).person == bo
    assert approvals.claim("ask-1", ana, take_over=True).person == ana
    assert mine.until - mine.since == 5 * 60 * SECOND


def test_a_claim_locks_nobody_out(ana: User, bo: User) -> None:
    ask()
    approvals.claim("ask-1", ana)
    assert decide(bo).state == "granted"
    with pytest.raises(AlreadyDecided):
        approvals.claim("ask-1", ana)


def test_renewing_a_claim_is_told_once(ana: User) -> None:
    ask()
    first, second = approvals.claim("ask-1", ana), approvals.claim("ask-1", ana)
    assert (second.since, Decision.objects.filter(kind="claim").count()) == (first.since, 1)
    approvals.release("ask-1", ana)
    assert not Claim.objects.exists()


def test_a_deferred_request_stays_pending(ana: User) -> None:
    now = database_now()
    ask(expires_at=moment(now + 60 * SECOND))
    approvals.defer("ask-1", ana, now + 30 * SECOND, "after lunch")
    with pytest.raises(NotAllowed, match="expires"):
        approvals.defer("ask-1", ana, now + 90 * SECOND)
    with pytest.raises(NotAllowed, match="ahead"):
        approvals.defer("ask-1", ana, now - 1)
    assert decide(ana).state == "granted"
