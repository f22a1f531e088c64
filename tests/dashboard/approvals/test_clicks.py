"""Clicks: nothing is decided but what was shown, by those who may, as the policy says."""

from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User

from coordination.approvals import content_hash, with_args
from dashboard.approvals import (
    AlreadyDecided,
    InvalidDecision,
    NotAllowed,
    RequestChanged,
)
from dashboard.models import Decision, Vote
from tests.dashboard.approvals.clicking import HASH, decide, events, the_decision
from tests.dashboard.cast import PAY, ask, person

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize("name", ["dee", "dee@example.org", "opaque", "Dee@Example.ORG", "user:dee", "ｄｅｅ", " DEE "])
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


def test_the_old_content_is_told_beside_the_new(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    ask(version=2, action=PAY | {"target": "supplier 8"})
    stored = {"action": PAY}
    kept = type("Kept", (), {"value": msgspec.json.encode(stored)})()
    monkeypatch.setattr("dashboard.approvals.review.record_at", lambda *_: kept)
    with pytest.raises(RequestChanged) as changed:
        decide(ana)
    assert changed.value.difference == {"before": PAY, "after": PAY | {"target": "supplier 8"}}
