"""The approval gate: which decision a waiting task may act upon.

A task that needs a person is parked, not blocked: what it waits for is remembered (`handled.Gate`), its slot is
free and its position commits. Any instance of the group that holds the partition takes the decision. A decision is
a permission and the agent has the last word: it is refused unless everything matches, and never kept for the next
wait. The checks, in this order (approvals.md, rule 5):

1. the signature is that of a known key: else `bad_signature`, and nothing else of the decision is believed;
2. the decision was not applied before: else `duplicate`;
3. it was not revoked, and the task has not ended: else `withdrawn`;
4. the task waits right now, for this request, this version and with this fence: else `superseded`;
5. `valid_until` lies ahead: else `late`;
6. what would be executed has the hash that was approved, and the decision is one the request allowed, with
   arguments that satisfy the schema: else `hash_mismatch`.
"""

from collections.abc import Mapping
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import msgspec

from coordination.agent.handled import Gate, Handled
from coordination.approvals import content_hash, with_args
from coordination.canonical import NotCanonical
from coordination.events.task import TaskResumeRequested
from coordination.instants import micros
from coordination.signing import BadKey, BadSignature, Keyring

EDIT: Final = "edit"
GRANTING: Final = frozenset(("approve", EDIT))


class Refusal(msgspec.Struct, frozen=True):
    """A decision that is not acted upon: the word for `decision.refused` and a sentence for people."""

    reason: str
    detail: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person, a policy or a deadline decided, as a handler sees it.

    `decision` is approve, edit, reject, respond or expired. `args` are the arguments to execute: those that were
    asked for, or their full replacement after an edit. `response` answers a question.
    """

    decision: str
    decision_id: str = ""
    args: Any = None
    response: Any = None
    feedback: str = ""

    @property
    def granted(self) -> bool:
        """Whether the action may be executed, with `args`."""
        return self.decision in GRANTING


def judge(
    data: TaskResumeRequested, raw: Mapping[str, Any], memory: Handled | None, *, now: int, keyring: Keyring
) -> Decision | Refusal:
    """Whether the task of `memory` may act on a decision. `raw` is the JSON the signature was made over."""
    for check in (_signed, _new, _wanted, _meant, _in_time):
        refusal = check(data, raw, memory, now, keyring)
        if refusal is not None:
            return refusal
    assert memory is not None
    assert memory.gate is not None
    return _content(data, memory.gate)


def _signed(
    data: TaskResumeRequested, raw: Mapping[str, Any], memory: Handled | None, now: int, keyring: Keyring
) -> Refusal | None:
    try:
        keyring.verify(raw)
    except (BadSignature, BadKey) as error:
        return Refusal("bad_signature", str(error))
    return None


def _new(
    data: TaskResumeRequested, raw: Mapping[str, Any], memory: Handled | None, now: int, keyring: Keyring
) -> Refusal | None:
    if memory is not None and data.decision_id and data.decision_id in memory.decisions:
        return Refusal("duplicate", "This decision was applied before.")
    return None


def _wanted(
    data: TaskResumeRequested, raw: Mapping[str, Any], memory: Handled | None, now: int, keyring: Keyring
) -> Refusal | None:
    if memory is None:
        return Refusal("superseded", "This group knows no such task.")
    if data.decision_id and data.decision_id in memory.revoked:
        return Refusal("withdrawn", "This decision was revoked before it was applied.")
    if not memory.open:
        return Refusal("withdrawn", f"The task has ended: {memory.status}.")
    return None


def _meant(
    data: TaskResumeRequested, raw: Mapping[str, Any], memory: Handled | None, now: int, keyring: Keyring
) -> Refusal | None:
    gate = memory.gate if memory is not None else None
    if gate is None:
        return Refusal("superseded", "The task does not wait for a decision now.")
    if data.approval_id != gate.approval_id:
        return Refusal("superseded", f"The task waits for {gate.approval_id or 'no approval'}.")
    if gate.approval_id and data.request_version != gate.version:
        return Refusal("superseded", f"Version {gate.version} replaced version {data.request_version}.")
    if data.fence != gate.fence and (gate.approval_id or data.fence is not None):
        return Refusal("superseded", f"Attempt {gate.fence} replaced attempt {data.fence}.")
    return None


def _in_time(
    data: TaskResumeRequested, raw: Mapping[str, Any], memory: Handled | None, now: int, keyring: Keyring
) -> Refusal | None:
    if data.valid_until is None and data.approval_id:
        return Refusal("late", "The decision does not say how long it is valid.")
    if data.valid_until is not None and micros(data.valid_until) < now:
        return Refusal("late", f"It was valid until {data.valid_until.isoformat()}.")
    return None


def _content(data: TaskResumeRequested, gate: Gate) -> Decision | Refusal:
    if not gate.approval_id:
        return Decision(decision="respond", response=data.response, feedback=data.feedback)
    edited = data.decision in GRANTING and data.args is not None and data.args != gate.action.get("args")
    if not {data.decision, EDIT if edited else data.decision} <= {*gate.allowed, "reject"}:
        return Refusal("hash_mismatch", f"{EDIT if edited else data.decision!r} was not among the decisions asked for.")
    executed = with_args(gate.action, data.args) if edited else gate.action
    mismatch = _mismatch(data, gate, executed) or (_invalid(executed) if edited else None)
    if mismatch:
        return Refusal("hash_mismatch", mismatch)
    return Decision(
        decision=data.decision,
        decision_id=data.decision_id,
        args=executed.get("args"),
        response=data.response,
        feedback=data.feedback,
    )


def _mismatch(data: TaskResumeRequested, gate: Gate, executed: Mapping[str, Any]) -> str | None:
    try:
        hashed = content_hash(executed)
    except NotCanonical as error:
        return str(error)
    # After an edit the hash may be that of what was asked: the new arguments are under the signature themselves.
    if data.content_hash == hashed or (executed is not gate.action and data.content_hash == gate.content_hash):
        return None
    return f"What would be executed has the hash {hashed[:12]}…, decided was {(data.content_hash or 'none')[:12]}…"


def _invalid(executed: Mapping[str, Any]) -> str | None:
    schema = executed.get("args_schema")
    if schema is None:
        return None
    try:
        jsonschema.validate(executed.get("args"), schema)
    except (jsonschema.ValidationError, jsonschema.SchemaError) as error:
        return f"The edited arguments do not satisfy the schema: {error.message}"
    return None
