"""Asking a person: the approval request and the gate it leaves behind."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from coordination.agent.errors import Fatal
from coordination.agent.gate import GRANTING, Decision
from coordination.agent.handled import Gate, Step
from coordination.agent.instance import Instance
from coordination.agent.journal import Journal, Parked
from coordination.agent.keys import step_id
from coordination.agent.voice import Said
from coordination.agent.waits import Park
from coordination.agent.work import Work
from coordination.approvals import content_hash
from coordination.canonical import NotCanonical
from coordination.events.approval import Action, ApprovalRequested, Policy, Preview
from coordination.events.task import TaskCheckpointed, TaskPaused
from coordination.instants import MICROSECONDS, Instant, moment

OnExpiry = Literal["reject", "escalate", "wait", "approve"]
EXPIRED: Final = "expired"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is asked; see `events.approval.ApprovalRequested` for the words. Times in seconds from now."""

    title: str = ""
    question: str = ""
    kind: Literal["action", "question"] = "action"
    preview: Preview | None = None
    reversibility: Literal["yes", "compensable", "no"] = "no"
    risk: str = "medium"
    risk_reasons: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ("approve", "reject")
    policy: Policy = Policy()
    on_behalf_of: tuple[str, ...] = ()
    priority: int = 0
    due_in: float | None = None
    expires_in: float | None = None
    on_expiry: OnExpiry = "reject"


class Asking:
    """Asks on behalf of one execution of a handler."""

    def __init__(self, instance: Instance, work: Work, journal: Journal, park: Park) -> None:
        self._instance, self._work, self._journal, self._park = instance, work, journal, park

    def approval(self, action: Action, ask: Ask) -> Decision:
        """The decision about an action; ends the handler while there is none.

        An action that was decided is not asked about again, unless a later attempt comes after the decision's
        validity, or the action is another one now: then a higher version replaces the request.
        """
        key = self._journal.key("approve", action.name)
        shown = msgspec.to_builtins(action)
        try:
            hashed = content_hash(shown)
        except NotCanonical as error:
            raise Fatal(f"The arguments of {action.name} cannot be approved: {error}") from error
        step = self._journal.find(key)
        if step is not None and self._holds(step, hashed):
            return msgspec.convert(step.value["decision"], Decision)
        version = (step.value["version"] if step is not None else 0) + 1
        self._journal.record(key, {"version": version, "hash": hashed}, lasting=True, done=False)
        raise self._ask(key, version, shown, hashed, action, ask)

    def answer(self, reason: Literal["question", "credentials"], question: str) -> Decision:
        """The answer to a plain pause, without an approval; ends the handler while there is none."""
        key = self._journal.key("pause", reason)
        step = self._journal.find(key)
        if step is not None and step.done:
            return msgspec.convert(step.value["decision"], Decision)
        self._journal.record(key, {"version": 0, "hash": ""}, lasting=True, done=False)
        gate = Gate(step=key, reason=reason, fence=self._work.memory.attempt)
        raise self._park.for_person(gate, self._paused(gate, question))

    def _holds(self, step: Step, hashed: str) -> bool:
        if not step.done or step.value["hash"] != hashed:
            return False
        if step.attempt == self._work.memory.attempt or step.value["decision"]["decision"] not in GRANTING:
            return True
        valid_until = step.value.get("valid_until")
        return valid_until is not None and valid_until >= self._instance.clock()

    def _ask(self, key: str, version: int, shown: Mapping[str, Any], hashed: str, action: Action, ask: Ask) -> Parked:
        memory = self._work.memory
        gate = Gate(
            step=key,
            reason="question" if ask.kind == "question" else "approval",
            fence=memory.attempt,
            approval_id=step_id(self._work.task_id, key),
            version=version,
            content_hash=hashed,
            action=dict(shown),
            allowed=ask.allowed,
            expires_at=self._after(ask.expires_in),
            on_expiry=ask.on_expiry,
        )
        said = self._instance.say(
            self._work.event,
            "approval.requested",
            self._request(gate, action, ask),
            attempt=memory.attempt,
            causation=self._work.cause,
            expiry_at=gate.expires_at,
        )
        return self._park.for_person(gate, [said, *self._paused(gate, ask.question, said.event_id)])

    def _request(self, gate: Gate, action: Action, ask: Ask) -> ApprovalRequested:
        return ApprovalRequested(
            approval_id=gate.approval_id,
            request_version=gate.version,
            content_hash=gate.content_hash,
            action=action,
            title=ask.title,
            question=ask.question,
            kind=ask.kind,
            agent_group=self._instance.group,
            agent_instance=self._instance.identity.source,
            fence=gate.fence,
            on_behalf_of=ask.on_behalf_of,
            preview=ask.preview,
            reversibility=ask.reversibility,
            risk=ask.risk,
            risk_reasons=ask.risk_reasons,
            allowed_decisions=ask.allowed,
            policy=ask.policy,
            priority=ask.priority,
            due_at=_moment(self._after(ask.due_in)),
            expires_at=_moment(gate.expires_at),
            on_expiry=ask.on_expiry,
        )

    def _paused(self, gate: Gate, question: str, cause: str = "") -> list[Said]:
        ref = f"log:{self._instance.ledger.topic}/{self._work.memory.partition}?task={self._work.task_id}"
        data = TaskPaused(reason=gate.reason, approval_id=gate.approval_id, question=question, checkpoint_ref=ref)
        about = {"attempt": gate.fence, "causation": cause or self._work.cause}
        checkpoint = TaskCheckpointed(checkpoint_ref=ref)
        return [
            self._instance.say(self._work.event, "task.checkpointed", checkpoint, **about),
            self._instance.say(self._work.event, "task.paused", data, **about),
        ]

    def _after(self, seconds: float | None) -> int | None:
        return None if seconds is None else self._instance.clock() + int(seconds * MICROSECONDS)


def ask_of(**fields: Any) -> Ask:
    """An Ask out of keyword arguments, lists allowed where tuples are meant. Raises Fatal naming a wrong field."""
    try:
        return msgspec.convert({name: _plain(value) for name, value in fields.items()}, Ask)
    except msgspec.ValidationError as error:
        raise Fatal(f"The approval cannot be asked for: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _moment(at: int | None) -> Instant | None:
    return None if at is None else moment(at)
