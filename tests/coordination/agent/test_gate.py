"""Waiting for a person: parked across instances, decided once, asked anew when something changed."""

import asyncio
from typing import Any

import msgspec
import pytest

from coordination.agent import Agent, Policy, Preview, TaskContext, ToolCall
from coordination.agent.gate import Decision, Refusal, judge
from coordination.agent.handled import Gate, Handled
from coordination.approvals import content_hash, with_args
from coordination.events.task import TaskResumeRequested
from coordination.signing import Keyring, SigningKey
from tests.coordination.agent.stage import DECISION_KEY, Stage

ACTION = {"name": "refund", "args": {"amount": "1.00"}}
NOW = 1_800_000_000_000_000
RING = Keyring.of(DECISION_KEY)


def memory(**changes: Any) -> Handled:
    gate = Gate(
        step="approve:refund",
        reason="approval",
        fence=2,
        approval_id="a",
        version=3,
        content_hash=content_hash(ACTION),
        action=ACTION,
        allowed=("approve", "edit", "reject"),
    )
    fields: dict[str, Any] = {
        "group": "payer",
        "kind": "task",
        "key": "t",
        "status": "paused",
        "topic": "c",
        "partition": 0,
        "offset": 0,
        "updated_at": NOW,
        "gate": gate,
    }
    return Handled(**(fields | changes))


def verdict(held: Handled | None = None, key: SigningKey = DECISION_KEY, **changes: Any) -> Decision | Refusal:
    document = {
        "decision_id": "d",
        "approval_id": "a",
        "request_version": 3,
        "fence": 2,
        "content_hash": content_hash(ACTION),
        "decision": "approve",
        "valid_until": "2099-01-01T00:00:00Z",
    }
    signed = key.sign(document | changes)
    data = msgspec.convert(signed, TaskResumeRequested)
    return judge(data, signed, held or memory(), now=NOW, keyring=RING)


def test_a_decision_that_fits_in_everything_is_taken() -> None:
    taken = verdict()
    assert isinstance(taken, Decision)
    assert (taken.granted, taken.args, taken.decision_id) == (True, {"amount": "1.00"}, "d")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"approval_id": "b"}, "superseded"),
        ({"request_version": 2}, "superseded"),
        ({"request_version": 4}, "superseded"),
        ({"request_version": None}, "superseded"),
        ({"fence": 1}, "superseded"),
        ({"fence": None}, "superseded"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "late"),
        ({"valid_until": None}, "late"),
        ({"content_hash": "0" * 64}, "hash_mismatch"),
        ({"content_hash": None}, "hash_mismatch"),
        ({"decision": "respond"}, "hash_mismatch"),
        ({"decision": ""}, "hash_mismatch"),
    ],
)
def test_a_decision_that_does_not_fit_is_refused(changes: dict[str, Any], reason: str) -> None:
    refused = verdict(**changes)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (memory(decisions=["d"]), "duplicate"),
        (memory(revoked=["d"]), "withdrawn"),
        (memory(status="completed"), "withdrawn"),
        (memory(gate=None, status="working"), "superseded"),
    ],
)
def test_a_decision_for_what_does_not_wait_is_refused(held: Handled, reason: str) -> None:
    refused = verdict(held)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason


def test_nothing_of_a_decision_is_believed_before_its_signature() -> None:
    refused = verdict(memory(decisions=["d"]), key=SigningKey.generate())
    assert isinstance(refused, Refusal)
    assert refused.reason == "bad_signature"


def test_an_edit_is_a_full_replacement_under_its_own_hash() -> None:
    args = {"amount": "0.50"}
    taken = verdict(decision="edit", args=args, content_hash=content_hash(with_args(ACTION, args)))
    assert isinstance(taken, Decision)
    assert taken.args == args


def test_an_edit_of_what_may_not_be_edited_is_refused() -> None:
    held = memory()
    assert held.gate is not None
    held.gate.allowed = ("approve", "reject")
    args = {"amount": "0.50"}
    for decision in ("edit", "approve"):
        refused = verdict(held, decision=decision, args=args, content_hash=content_hash(with_args(ACTION, args)))
        assert isinstance(refused, Refusal)


def test_edited_arguments_must_satisfy_the_schema() -> None:
    held = memory()
    assert held.gate is not None
    held.gate.action = ACTION | {"args_schema": {"properties": {"amount": {"type": "string"}}}}
    args = {"amount": 5}
    edited = with_args(held.gate.action, args)
    refused = verdict(held, decision="edit", args=args, content_hash=content_hash(edited))
    assert isinstance(refused, Refusal)
    assert "schema" in refused.detail


async def pay(call: ToolCall) -> Any:
    return call.args


def payer(stage: Stage, **ask: Any) -> Agent:
    """A group that asks before it pays."""
    agent = stage.agent("payer", gate_grace=0.05)

    @agent.task("refund")
    async def refund(task: TaskContext) -> Any:
        decision = await task.approve("refund", task.input, **ask)
        if decision.granted:
            await task.tool("bank.pay", decision.args, pay, effects=True)
        return decision.decision

    return agent


async def test_a_request_carries_everything_a_reviewer_needs(stage: Stage) -> None:
    agent = payer(
        stage,
        title="Refund batch 2 of 3",
        target="Adyen live",
        risk="high",
        risk_reasons=["irreversible after settlement"],
        reversibility="compensable",
        preview=Preview(kind="diff", before={"refunded": 0}, after={"refunded": 1}, complete=True),
        policy=Policy(rule="quorum", quorum=2, required_groups=("finance",), name="refunds.high", version="6"),
        on_behalf_of=["user-17"],
        due_in=60,
        expires_in=120,
        allowed=("approve", "edit", "reject"),
    )
    stage.start(agent)
    await stage.client.request("run-1", "refund", "payer", input={"amount": "1.00"})
    (request,) = await stage.until("approval.requested")
    data = request.data
    assert data.content_hash == content_hash({"name": "refund", "target": "Adyen live", "args": {"amount": "1.00"}})
    assert (data.fence, data.request_version, data.agent_group) == (1, 1, "payer")
    assert (data.risk, data.policy.quorum, data.on_behalf_of) == ("high", 2, ("user-17",))
    assert request.expiry_at is not None
    (row,) = (await stage.rows()).requests.values()
    assert (row.state, row.version, row.risk) == ("pending", 1, "high")


async def test_any_instance_of_the_group_resumes_after_the_asking_one_is_gone(stage: Stage) -> None:
    agent = payer(stage)
    first = stage.start(agent, "payer-1")
    task_id = await stage.client.request("run-1", "refund", "payer", input={"amount": "1.00"})
    (request,) = await stage.until("approval.requested")
    await stage.until("task.paused")
    await stage.stop(first)
    stage.start(agent, "payer-2")
    await stage.decide(request)
    (resumed,) = await stage.until("task.resumed")
    assert resumed.agent_id == "payer-2"
    await stage.until("task.completed", task_id=task_id)
    assert (await stage.task(task_id)).attempt == 1


async def test_a_decision_made_while_nobody_ran_is_found_at_the_start(stage: Stage) -> None:
    agent = payer(stage)
    first = stage.start(agent)
    await stage.client.request("run-1", "refund", "payer", input={"amount": "1.00"})
    (request,) = await stage.until("approval.requested")
    await stage.until("task.paused")
    await stage.stop(first)
    await stage.decide(request)
    stage.start(agent)
    await stage.until("task.completed")


async def test_an_approval_nobody_answers_is_given_up_after_its_expiry(stage: Stage) -> None:
    stage.start(payer(stage, expires_in=0.1))
    await stage.client.request("run-1", "refund", "payer", input={"amount": "1.00"})
    (completed,) = await stage.until("task.completed")
    assert completed.data.output == "expired"
    (request,) = await stage.until("approval.requested")
    await stage.decide(request)
    (refused,) = await stage.until("decision.refused")
    assert refused.data.reason == "withdrawn"


async def test_a_request_that_shall_wait_is_not_given_up(stage: Stage) -> None:
    stage.start(payer(stage, expires_in=0.05, on_expiry="wait"))
    task_id = await stage.client.request("run-1", "refund", "payer", input={"amount": "1.00"})
    await stage.until("task.paused")
    await asyncio.sleep(0.4)
    assert (await stage.task(task_id)).state == "input_required"


async def test_a_later_attempt_does_not_ask_again_for_what_was_approved(stage: Stage) -> None:
    agent = stage.agent("payer")
    paid: list[str] = []

    @agent.task("refund")
    async def refund(task: TaskContext) -> None:
        decision = await task.approve("refund", task.input)

        async def flaky(call: ToolCall) -> Any:
            paid.append(call.idempotency_key)
            if task.attempt == 1:
                raise OSError("timeout at the bank")
            return call.args

        await task.tool("bank.pay", decision.args, flaky, effects=True)

    stage.start(agent)
    await stage.client.request("run-1", "refund", "payer", input={"amount": "1.00"})
    (request,) = await stage.until("approval.requested")
    await stage.decide(request)
    await stage.until("task.completed")
    assert len(await stage.until("approval.requested")) == 1
    assert len(paid) == 2
    assert len(set(paid)) == 1


async def test_another_action_asks_again_with_a_higher_version_that_voids_the_former(stage: Stage) -> None:
    agent = stage.agent("payer")

    @agent.task("refund")
    async def refund(task: TaskContext) -> None:
        await task.approve("refund", {"attempt": task.attempt})
        if task.attempt == 1:
            raise OSError("try again")

    stage.start(agent)
    await stage.client.request("run-1", "refund", "payer")
    (first,) = await stage.until("approval.requested")
    await stage.decide(first)
    _, second = await stage.until("approval.requested", count=2)
    assert (second.data.approval_id, second.data.request_version) == (first.data.approval_id, 2)
    await stage.decide(first, decision_id="again")
    (refused,) = await stage.until("decision.refused")
    assert refused.data.reason == "superseded"
    await stage.decide(second)
    await stage.until("task.completed")


async def test_steps_before_a_wait_are_not_taken_again(stage: Stage) -> None:
    agent = stage.agent("payer")
    calls: list[str] = []

    @agent.task("refund")
    async def refund(task: TaskContext) -> Any:
        async def look(call: ToolCall) -> str:
            calls.append(call.name)
            return "looked"

        async def draw() -> int:
            calls.append("once")
            return len(calls)

        seen = await task.tool("ledger.look", {}, look)
        drawn = await task.once("draw", draw)
        await task.approve("refund", {"seen": seen, "drawn": drawn})
        return [seen, drawn]

    stage.start(agent)
    await stage.client.request("run-1", "refund", "payer")
    (request,) = await stage.until("approval.requested")
    await stage.decide(request)
    (completed,) = await stage.until("task.completed")
    assert completed.data.output == ["looked", 2]
    assert calls == ["ledger.look", "once"]


async def test_a_handler_that_swallows_its_wait_fails_with_words(stage: Stage) -> None:
    agent = stage.agent("payer")

    @agent.task("refund")
    async def refund(task: TaskContext) -> None:
        try:
            await task.approve("refund", {})
        except BaseException:
            return

    stage.start(agent)
    await stage.client.request("run-1", "refund", "payer")
    (failed,) = await stage.until("task.failed")
    assert "caught the end of its wait" in failed.data.error.message


async def test_a_handler_that_takes_other_steps_when_run_again_fails_with_words(stage: Stage) -> None:
    agent = stage.agent("payer")
    entered: list[int] = []

    @agent.task("refund")
    async def refund(task: TaskContext) -> None:
        entered.append(1)
        await task.tool("look", {"entered": len(entered)}, pay)
        await task.approve("refund", {})

    stage.start(agent)
    await stage.client.request("run-1", "refund", "payer")
    (request,) = await stage.until("approval.requested")
    await stage.decide(request)
    (failed,) = await stage.until("task.failed")
    assert "recorded with other arguments" in failed.data.error.message


async def test_arguments_without_a_canonical_form_cannot_be_approved(stage: Stage) -> None:
    stage.start(payer(stage))
    await stage.client.request("run-1", "refund", "payer", input={"amount": 2**60})
    (failed,) = await stage.until("task.failed")
    assert "cannot be approved" in failed.data.error.message


async def test_a_question_is_answered_with_a_response(stage: Stage) -> None:
    agent = stage.agent("payer")

    @agent.task("refund")
    async def refund(task: TaskContext) -> Any:
        decision = await task.approve(
            "ask", {}, kind="question", question="Which account?", allowed=("respond", "reject")
        )
        return decision.response

    stage.start(agent)
    task_id = await stage.client.request("run-1", "refund", "payer")
    (request,) = await stage.until("approval.requested")
    (paused,) = await stage.until("task.paused", task_id=task_id)
    assert paused.data.reason == "question"
    await stage.decide(request, "respond", response={"account": "DE02"})
    (completed,) = await stage.until("task.completed")
    assert completed.data.output == {"account": "DE02"}


async def test_a_plain_pause_goes_on_when_asked_to(stage: Stage) -> None:
    agent = stage.agent("payer")

    @agent.task("refund")
    async def refund(task: TaskContext) -> Any:
        return (await task.pause("credentials", "Please renew the bank's certificate.")).response

    stage.start(agent)
    task_id = await stage.client.request("run-1", "refund", "payer")
    (paused,) = await stage.until("task.paused")
    assert (await stage.task(task_id)).state == "auth_required"
    await stage.resume(paused, DECISION_KEY.sign({"response": "renewed"}))
    (completed,) = await stage.until("task.completed")
    assert completed.data.output == "renewed"
