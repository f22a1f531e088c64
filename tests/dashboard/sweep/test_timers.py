"""Timers: each step once, and silence approves only what is harmless."""

import pytest
from django.contrib.auth.models import User

from dashboard.approvals import AlreadyDecided, Expired
from dashboard.clock import database_now
from dashboard.models import Approval, Audit, Decision, Step, Vote
from dashboard.sweep.timers import take, take_due
from tests.dashboard.cast import person
from tests.dashboard.sweep.sweeping import approve, asked_ago, names, the_approval

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("seconds", "due", "expires", "steps"),
    [
        (10, 10, 90, []),
        (90, 10, 90, ["warn"]),
        (90, -1, 90, ["escalate"]),
        (90, -10, -1, ["expire"]),
        (90, None, None, []),
    ],
)
def test_each_step_fires_when_it_is_due_and_once(
    seconds: float, due: float | None, expires: float | None, steps: list[str]
) -> None:
    asked_ago(seconds, due=due, expires=expires)
    for _ in range(3):
        take_due(fresh=True)
    assert list(Step.objects.values_list("step", flat=True)) == steps
    assert Audit.objects.count() == len(steps)


def test_expiry_rejects_and_tells_the_agent(ana: User) -> None:
    asked_ago(90, expires=-1)
    take_due(fresh=True)
    assert (the_approval().state, the_approval().decided_by) == ("expired", "expiry")
    row = Decision.objects.get()
    assert names(row) == ["approval.expired", "task.resume.requested"]
    assert (row.verdict, row.held_until, row.provenance["by"]) == ("reject", 0, "expiry")
    assert row.valid_until is not None
    assert row.valid_until > database_now()
    with pytest.raises(Expired) as lost:
        approve(ana, comment="just a moment")
    assert lost.value.at == the_approval().expires_at
    assert Vote.objects.get().comment == "just a moment"


def test_silence_approves_what_is_harmless_only_while_ingest_is_fresh(ana: User) -> None:
    asked_ago(90, expires=-1, on_expiry="approve", risk="low", reversibility="yes")
    take_due(fresh=False)
    assert the_approval().state == "pending"
    take_due(fresh=True)
    assert the_approval().state == "granted"
    assert names(Decision.objects.get()) == ["approval.granted", "task.resume.requested"]
    with pytest.raises(AlreadyDecided) as lost:
        approve(ana)
    assert (lost.value.winner, lost.value.decision) == ("expiry", "approve")


@pytest.mark.parametrize("given", [{"risk": "medium", "reversibility": "yes"}, {"risk": "low", "reversibility": "no"}])
def test_silence_rejects_what_is_not_harmless(given: dict[str, str]) -> None:
    asked_ago(90, expires=-1, on_expiry="approve", **given)
    take_due(fresh=True)
    assert the_approval().state == "expired"


@pytest.mark.parametrize(("on_expiry", "fact"), [("wait", "approval.deferred"), ("escalate", "approval.escalated")])
def test_expiry_that_keeps_it_pending_lifts_the_limit(ana: User, on_expiry: str, fact: str) -> None:
    asked_ago(90, expires=-1, on_expiry=on_expiry)
    take_due(fresh=True)
    assert (the_approval().state, the_approval().expires_at) == ("pending", None)
    assert names(Decision.objects.get()) == [fact]
    assert (approve(ana).valid_until or 0) > database_now()


def test_an_escalation_names_whom_it_goes_to() -> None:
    asked_ago(90, due=-1, policy={"rule": "all", "required_groups": ["finance", "legal"]})
    take_due(fresh=True)
    assert the_approval().escalated_to == "finance, legal"
    assert names(Decision.objects.get()) == ["approval.escalated"]


def test_who_decided_is_not_expired() -> None:
    asked_ago(90, expires=0.2)
    approve(person("ana"))
    Approval.objects.update(expires_at=1)
    assert take_due(fresh=True) == 0
    assert not take("ask-1", 1, "expire", fresh=True)
    assert the_approval().state == "granted"
