"""The sweeper: timers fire once, dead requests go, answers are carried over, strangers are named."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User
from django.db.models import F

from coordination.agents import Agent as AgentRow
from coordination.envelope import new_event
from coordination.instants import moment
from dashboard import approvals, outbox
from dashboard.approvals import AlreadyDecided, Expired, RequestChanged
from dashboard.clock import database_now
from dashboard.models import Agent, Approval, Audit, Decision, Gap, Position, Step, Task, Vote, Worker
from dashboard.outbox import event_id
from dashboard.sweep import Sweeper, foreign_of
from dashboard.sweep.adoption import adopt_ended, adopt_new
from dashboard.sweep.answers import OldAnswers, learn_new
from dashboard.sweep.foreign import Watch, look_at_pending
from dashboard.sweep.freshness import ingest_fresh
from dashboard.sweep.timers import take, take_due
from dashboard.sweep.withdrawals import GONE, withdraw_dead
from tests.dashboard.cast import PAY, RUN, SECOND, TASK, ask, hear, person, say
from tests.dashboard.relaying import HASH, tables, until

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


@pytest.fixture
def ana() -> User:
    return person("ana")


def approve(user: User, **given: Any) -> approvals.Receipt:
    shown: dict[str, Any] = {"approval_id": "ask-1", "request_version": 1, "content_hash": HASH}
    return approvals.decide(user=user, decision="approve", **(shown | given))


def the_approval() -> Approval:
    return Approval.objects.get(approval_id="ask-1")


def names(row: Decision) -> list[str]:
    return [
        value.decode().removeprefix("coordination.")
        for record in outbox.unpack(row.records)
        for name, value in record.headers
        if name == "ce_type"
    ]


# New requests

def test_a_new_request_gets_a_row_and_a_new_version_renews_it(ana: User) -> None:
    ask()
    assert (adopt_new(), adopt_new()) == (1, 0)
    approve(ana)
    ask(version=2, risk="critical")
    assert adopt_new() == 1
    assert (the_approval().version, the_approval().state, the_approval().risk) == (2, "pending", "critical")


def test_a_rule_raises_the_risk_but_never_lowers_it(settings: Any) -> None:
    rules = [{"name": "payments", "version": 3, "at_least": "high", "action": "pay"}]
    (Path(settings.LINESIDE_STATE) / "risk-rules.json").write_bytes(msgspec.json.encode(rules))
    ask("ask-1", risk="low")
    ask("ask-2", risk="critical")
    ask("ask-3", risk="low", action=PAY | {"name": "note"})
    adopt_new()
    assert dict(Approval.objects.values_list("approval_id", "risk")) == {
        "ask-1": "high",
        "ask-2": "critical",
        "ask-3": "low",
    }


def test_rules_that_cannot_be_read_make_everything_high(settings: Any) -> None:
    (Path(settings.LINESIDE_STATE) / "risk-rules.json").write_text("{")
    ask(risk="low")
    adopt_new()
    assert the_approval().risk == "high"


# Timers

def asked_ago(seconds: float, *, due: float | None = None, expires: float | None = None, **given: Any) -> None:
    """A request asked so many seconds ago, due and expiring so many seconds from now."""
    now = database_now()
    times = {"due_at": due, "expires_at": expires}
    given |= {name: moment(now + int(at * SECOND)) for name, at in times.items() if at is not None}
    ask(at=now - int(seconds * SECOND), **given)
    adopt_new()


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
    assert lost.value.at == the_approval().decided_at
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


# Freshness

def test_ingest_is_fresh_when_somebody_reads_and_nothing_is_unread() -> None:
    now = database_now()
    assert not ingest_fresh(now)
    Worker.objects.create(worker_id="w", role="ingest", started_at=0, lease_until=now + SECOND)
    position = Position.objects.create(topic="t", partition=0, shard="1-0", next_offset=5, end_offset=5, end_at=now)
    assert ingest_fresh(now)
    Position.objects.filter(pk=position.pk).update(end_offset=6, end_at=now - 2 * SECOND)
    assert not ingest_fresh(now)
    Position.objects.filter(pk=position.pk).update(end_offset=5, end_at=now - 60 * SECOND)
    assert not ingest_fresh(now)
    Position.objects.filter(pk=position.pk).update(end_at=now)
    Gap.objects.create(
        topic="t", partition=0, shard="1-0", kind="truncated", expected_offset=1, message="", found_at=now
    )
    assert not ingest_fresh(now)


# Withdrawals

def started(attempt: int, task: str = TASK) -> None:
    say("task.started", {}, task=task, attempt=attempt)


@pytest.mark.parametrize("end", ["completed", "failed", "canceled"])
def test_a_request_of_an_ended_task_is_withdrawn(ana: User, end: str) -> None:
    started(1)
    ask()
    adopt_new()
    assert withdraw_dead() == 0
    say(f"task.{end}", {}, attempt=1)
    assert (withdraw_dead(), withdraw_dead()) == (1, 0)
    assert (the_approval().state, the_approval().reason) == ("withdrawn", f"The task has ended: {end}.")
    assert names(Decision.objects.get()) == ["approval.withdrawn"]
    with pytest.raises(AlreadyDecided) as lost:
        approve(ana)
    assert (lost.value.decision, lost.value.reason) == ("withdrawn", f"The task has ended: {end}.")


def test_a_request_of_an_attempt_that_was_replaced_is_withdrawn() -> None:
    started(1)
    ask(fence=1)
    ask("ask-2", fence=2)
    adopt_new()
    say("task.attempt.failed", {}, attempt=1)
    started(2)
    assert withdraw_dead() == 1
    assert the_approval().reason == "Attempt 2 replaced attempt 1."
    assert Approval.objects.get(approval_id="ask-2").state == "pending"


def test_the_end_of_an_older_attempt_is_no_reason() -> None:
    started(1)
    say("task.failed", {}, attempt=1)
    ask(fence=2)
    adopt_new()
    assert withdraw_dead() == 0


def agent(agent_id: str, *, left: int | None) -> None:
    moment_ = (left or 1, "coord.ops.events", 0, 1)
    row = AgentRow(agent_group="payer", agent_id=agent_id, registered=left is None, registration=moment_)
    Agent.objects.create(
        agent_group="payer", agent_id=agent_id, revision=1, body=msgspec.json.encode(row).decode()
    )


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [(GONE + SECOND, GONE + SECOND, 1), (GONE + SECOND, SECOND, 0), (GONE + SECOND, None, 0)],
)
def test_a_request_is_withdrawn_when_the_whole_group_has_been_gone_for_long(
    first: int, second: int | None, count: int
) -> None:
    ask()
    adopt_new()
    now = database_now()
    agent("payer-1", left=now - first)
    agent("payer-2", left=None if second is None else now - second)
    assert withdraw_dead() == count


# Answers

def published(row_id: str) -> None:
    Decision.objects.filter(pk=row_id).update(state="published", published_at=database_now())


def test_an_answer_is_carried_over_once_it_was_published(ana: User) -> None:
    ask()
    row_id = approve(ana).decision_id
    say("decision.applied", {"decision_id": row_id, "approval_id": "ask-1"}, at=7_000_000)
    assert learn_new() == 0
    published(row_id)
    assert (learn_new(), learn_new()) == (1, 0)
    row = Decision.objects.get(pk=row_id)
    assert (row.state, row.applied_at) == ("applied", 7_000_000)


def test_a_refusal_is_carried_over_with_its_reason(ana: User) -> None:
    ask()
    row_id = approve(ana).decision_id
    published(row_id)
    say("decision.refused", {"decision_id": row_id, "approval_id": "ask-1", "reason": "late"})
    learn_new()
    row = Decision.objects.get(pk=row_id)
    assert (row.state, row.refused_reason) == ("refused", "late")


@pytest.mark.parametrize(("name", "state"), [("decision.revoked", "applied"), ("decision.refused", "refused")])
def test_the_answer_to_a_revocation_belongs_to_the_revocation(ana: User, name: str, state: str) -> None:
    ask()
    row_id = approve(ana).decision_id
    published(row_id)
    approvals.revoke(row_id, ana)
    revoke = event_id("revoke", row_id)
    published(revoke)
    data = {"decision_id": row_id, "approval_id": "ask-1"}
    say(name, data | ({"reason": "too_late", "of": "revoke"} if name == "decision.refused" else {}))
    learn_new()
    assert Decision.objects.get(pk=revoke).state == state
    assert Decision.objects.get(pk=row_id).state == "published"


def test_old_decisions_are_looked_at_in_pages(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.sweep.answers.PAGE", 2)
    for number in range(7):
        ask(f"ask-{number}", task=f"task-{number}")
        row_id = approve(ana, approval_id=f"ask-{number}").decision_id
        published(row_id)
        say("decision.applied", {"decision_id": row_id, "approval_id": f"ask-{number}"}, task=f"task-{number}")
    Decision.objects.update(saved_at=F("saved_at") - 7200 * SECOND)
    assert learn_new() == 0
    answers = OldAnswers()
    assert [answers.learn() for _ in range(5)] == [2, 2, 2, 1, 0]


# Strangers

def forged(name: str, decision_id: str, **data: Any) -> None:
    made = new_event(
        name,
        source="/somebody",
        time=database_now(),
        id=decision_id + name,
        run_id=RUN,
        task_id=TASK,
        data={"approval_id": "ask-1", "request_version": 1, "decision_id": decision_id, **data},
    )
    hear(made)


def test_a_decision_we_did_not_send_is_named_once(ana: User) -> None:
    ask()
    adopt_new()
    assert Watch().look() == 0
    forged("approval.granted", "x", decision="approve")
    forged("task.resume.requested", "x", decision="approve")
    assert (look_at_pending(), look_at_pending(), Watch().look()) == (2, 0, 0)
    assert Audit.objects.filter(act="decision.foreign").count() == 2
    topics = {place.split("/")[0] for place in foreign_of("ask-1")}
    assert topics == {"coord.review.approval.events", "coord.run.decision.commands"}
    assert approve(ana).state == "granted"


def test_our_own_decision_read_back_is_no_stranger(ana: User) -> None:
    ask()
    approve(ana)
    row = Decision.objects.get()
    hear(*outbox.unpack(row.records))
    assert Watch().look() == 0


def test_a_second_command_under_our_own_id_is_a_stranger(ana: User) -> None:
    ask()
    row_id = approve(ana).decision_id
    forged("task.resume.requested", row_id, decision="edit", args={"amount": "1"})
    Decision.objects.update(state="published", positions=[["coord.run.decision.commands", 0, 10**9, 1]])
    assert Watch().look() == 1


def test_a_decision_after_ours_is_a_stranger(ana: User) -> None:
    ask()
    approve(ana)
    hear(*outbox.unpack(Decision.objects.get().records))
    outcome = approvals.receipts.Request.objects.get().body
    place = msgspec.json.decode(outcome)["outcomes"]["1"]
    sent = msgspec.json.decode(outcome)["sent"][0]
    ours = [[place["topic"], place["partition"], place["offset"], 1], [sent[1], sent[2], sent[3], 1]]
    Decision.objects.update(state="published", positions=ours)
    assert Watch().look() == 0
    forged("approval.denied", "y", decision="reject")
    assert Watch().look() == 1


def test_what_an_import_tells_of_others_is_no_stranger() -> None:
    ask(at=database_now() - 7200 * SECOND)
    forged("approval.granted", "x", decision="approve")
    assert (adopt_new(), adopt_ended(), Watch().look()) == (0, 0, 0)


def test_a_fresh_request_that_somebody_ended_before_we_had_it_is_looked_into() -> None:
    ask()
    forged("approval.granted", "x", decision="approve")
    assert (adopt_new(), adopt_ended()) == (0, 1)
    assert (the_approval().state, the_approval().decided_by) == ("granted", "the log")
    assert Watch().look() == 1


# What was shown

def test_the_old_content_is_told_beside_the_new(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    ask(version=2, action=PAY | {"target": "supplier 8"})
    stored = {"action": PAY}
    kept = type("Kept", (), {"value": msgspec.json.encode(stored)})()
    monkeypatch.setattr("dashboard.approvals.review.record_at", lambda *_: kept)
    with pytest.raises(RequestChanged) as changed:
        approve(ana)
    assert changed.value.difference == {"before": PAY, "after": PAY | {"target": "supplier 8"}}


# The whole

@pytest.mark.django_db(transaction=True)
async def test_the_sweeper_sweeps_while_it_holds_the_lease() -> None:
    stop = asyncio.Event()
    async with tables() as db:
        await db.run(person, "ana")
        sweepers = [asyncio.create_task(Sweeper(f"w-{n}", every=0.02, seconds=0.6).run(stop)) for n in range(2)]
        await db.run(asked_in, 0.3)
        await until(db, lambda: Approval.objects.filter(state="expired").exists())
        stop.set()
        await asyncio.gather(*sweepers)
        assert await db.run(Step.objects.count) == 1
        assert not await db.run(Worker.objects.exists)


def asked_in(seconds: float) -> None:
    ask(expires_at=moment(database_now() + int(seconds * SECOND)))


@pytest.mark.django_db(transaction=True)
async def test_a_part_that_fails_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        raise RuntimeError("no")

    monkeypatch.setattr("dashboard.sweep.withdraw_dead", broken)
    stop = asyncio.Event()
    async with tables() as db:
        await db.run(asked_in, 0.1)
        sweeping = asyncio.create_task(Sweeper("w", every=0.02).run(stop))
        await until(db, lambda: Approval.objects.filter(state="expired").exists())
        stop.set()
        await sweeping


def test_a_task_that_was_never_read_is_no_reason_to_withdraw() -> None:
    ask()
    adopt_new()
    assert not Task.objects.exists()
    assert withdraw_dead() == 0
