"""What the dashboard signs is what an agent's gate accepts, and nothing else."""

from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User

from coordination.agent.gate import Decision as Given
from coordination.agent.gate import Refusal, judge
from coordination.agent.handled import Gate, Handled
from coordination.approvals import content_hash
from coordination.events.task import TaskResumeRequested
from coordination.instants import moment
from coordination.signing import Keyring, SigningKey
from dashboard import approvals, outbox
from dashboard.clock import database_now
from dashboard.decisionkey import decision_keyring
from dashboard.models import Decision
from dashboard.sweep.timers import take
from tests.dashboard.cast import PAY, SECOND, ask, person

pytestmark = pytest.mark.django_db
ALLOWED = ("approve", "reject", "edit", "respond")


@pytest.fixture
def ana() -> User:
    return person("ana")


def waiting(action: dict[str, Any] | None = None, *, version: int = 1, fence: int = 1) -> Handled:
    """The memory of a task that waits for ask-1."""
    action = PAY if action is None else action
    gate = Gate(
        step="s",
        reason="approval",
        fence=fence,
        approval_id="ask-1",
        version=version,
        content_hash=content_hash(action),
        action=action,
        allowed=ALLOWED,
    )
    return Handled(
        group="payer", kind="task", key="task-1", status="paused", topic="t", partition=0, offset=0, updated_at=0,
        attempt=fence, gate=gate,
    )  # fmt: skip


def judged(memory: Handled, *, at: int = 0, ring: Keyring | None = None) -> Given | Refusal:
    """What the gate says of the command in the outbox, `at` µs from now."""
    record = outbox.unpack(Decision.objects.get(kind="decision").records)[-1]
    data = msgspec.json.decode(record.value or b"", type=TaskResumeRequested)
    raw = msgspec.json.decode(record.value or b"")
    ring = ring or Keyring.from_file(decision_keyring())
    return judge(data, raw, memory, now=database_now() + at, keyring=ring)


def decide(user: User, decision: str, **given: Any) -> None:
    shown = {"approval_id": "ask-1", "request_version": 1, "content_hash": content_hash(PAY)}
    approvals.decide(user=user, decision=decision, **(shown | given))


@pytest.mark.parametrize(
    ("decision", "given", "args"),
    [
        ("approve", {}, PAY["args"]),
        ("reject", {"comment": "no"}, PAY["args"]),
        ("edit", {"args": {"amount": "1"}}, {"amount": "1"}),
        ("edit", {"args": ""}, ""),
        ("edit", {"args": PAY["args"]}, PAY["args"]),
        ("respond", {"response": ["a", 1.5]}, PAY["args"]),
    ],
)
def test_every_decision_is_accepted_by_the_task_that_asked(
    ana: User, decision: str, given: dict[str, Any], args: Any
) -> None:
    ask()
    decide(ana, decision, **given)
    verdict = judged(waiting())
    assert isinstance(verdict, Given), verdict
    assert (verdict.decision, verdict.args) == (decision, args)
    assert verdict.response == given.get("response")
    assert verdict.feedback == given.get("comment", "")


def test_what_expiry_decided_is_accepted_too() -> None:
    now = database_now()
    ask(at=now - 60 * SECOND, expires_at=moment(now - SECOND))
    assert take("ask-1", 1, "expire", fresh=True)
    verdict = judged(waiting())
    assert isinstance(verdict, Given), verdict
    assert verdict.decision == "reject"


@pytest.mark.parametrize(
    ("memory", "at", "reason"),
    [
        (waiting(version=2), 0, "superseded"),
        (waiting(fence=2), 0, "superseded"),
        (waiting(PAY | {"target": "supplier 8"}), 0, "hash_mismatch"),
        (waiting(), 25 * 3600 * SECOND, "late"),
    ],
)
def test_a_task_that_waits_for_something_else_refuses(ana: User, memory: Handled, at: int, reason: str) -> None:
    ask()
    decide(ana, "approve")
    verdict = judged(memory, at=at)
    assert isinstance(verdict, Refusal)
    assert verdict.reason == reason


def test_a_decision_under_another_key_is_refused(ana: User) -> None:
    ask()
    decide(ana, "approve")
    verdict = judged(waiting(), ring=Keyring.of(SigningKey.generate()))
    assert isinstance(verdict, Refusal)
    assert verdict.reason == "bad_signature"
