"""Deciding several requests with one click: each for itself, with its own hash, answer and audit entry (rule 11).

Together may be decided what has the same action and policy, low or medium risk, at most fifty. What keeps one of them
from being decided (somebody was first, it changed, it is not allowed) keeps no other.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from coordination.approvals import bulk_allowed, known_risk
from coordination.requests import Request as RequestRow
from dashboard.approvals.decisions import decide
from dashboard.approvals.errors import AlreadyDecided, InvalidDecision, NotDecided, RequestChanged
from dashboard.approvals.receipts import Receipt
from dashboard.approvals.riskrules import risk_of
from dashboard.models import Request

Outcome = Literal["won", "lost", "changed", "forbidden"]
_REQUEST = msgspec.json.Decoder(RequestRow)


class Item(msgspec.Struct, frozen=True):
    """One request as it was shown."""

    approval_id: str
    request_version: int
    content_hash: str


class Reading(msgspec.Struct, frozen=True):
    """What the page saw of the reading: whether all payloads were shown to their end, and for how long (ms)."""

    opened: bool = False
    dwell_ms: int | None = None


class Answered(msgspec.Struct, frozen=True):
    """What became of one: `receipt` if it was won, else `refusal`."""

    approval_id: str
    outcome: Outcome
    receipt: Receipt | None = None
    refusal: NotDecided | None = None


NOT_READ = Reading()


def decide_many(
    user: Any, decision: str, items: Sequence[Item], *, comment: str = "", key: str = "", reading: Reading = NOT_READ
) -> list[Answered]:
    """Approve or reject all of these, one transaction each. Raises InvalidDecision when they may not be decided
    together: nothing is decided then."""
    if decision not in ("approve", "reject"):
        raise InvalidDecision("Several requests can be approved or rejected; edit and answer them one by one.")
    if not items or len({item.approval_id for item in items}) < len(items):
        raise InvalidDecision("Choose the requests, each once.")
    if reason := _why_not(items):
        raise InvalidDecision(reason)
    return [_one(user, decision, item, comment, key, reading) for item in items]


def _why_not(items: Sequence[Item]) -> str:
    found = Request.objects.filter(approval_id__in=[item.approval_id for item in items])
    requests = [_REQUEST.decode(row.body) for row in found]
    actions = {str((one.action or {}).get("name", "")) if isinstance(one.action, dict) else "" for one in requests}
    policies = {msgspec.json.encode(one.policy or {}, order="sorted") for one in requests}
    if any(one.kind == "question" for one in requests):
        return "Questions are answered one by one."
    risks = [known_risk(risk_of(one)[0]) for one in requests] or ["low"]
    same = {"same_action": len(actions) <= 1, "same_policy": len(policies) <= 1}
    reasons = (bulk_allowed(risk, len(items), **same) for risk in risks)
    return next((reason for reason in reasons if reason), "")


def _one(user: Any, decision: str, item: Item, comment: str, key: str, reading: Reading) -> Answered:
    try:
        receipt = decide(
            approval_id=item.approval_id,
            user=user,
            decision=decision,
            request_version=item.request_version,
            content_hash=item.content_hash,
            comment=comment,
            idempotency_key=f"{key}/{item.approval_id}" if key else None,
            opened_payload=reading.opened,
            dwell_ms=reading.dwell_ms,
        )
    except NotDecided as refusal:
        return Answered(item.approval_id, _outcome(refusal), refusal=refusal)
    return Answered(item.approval_id, "won", receipt=receipt)


def _outcome(refusal: NotDecided) -> Outcome:
    if isinstance(refusal, AlreadyDecided):
        return "lost"
    return "changed" if isinstance(refusal, RequestChanged) else "forbidden"
