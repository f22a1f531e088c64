"""The receipt: how far a decision has come. Saved, published, applied or refused, each with its time.

Three parties write it and none waits for another: `decide` the first stage, the relay the second, and the third is
a fact of the agent, read by ingest into the request's row and carried over to the decision by the sweeper. Whoever
reads a receipt joins the agent's answer itself, so that it is never older than the request.
"""

from typing import Any, Final

import msgspec

from coordination.events.approval import Policy
from coordination.receipts import Receipt as Answered
from coordination.requests import Request as RequestRow
from dashboard.approvals.review import standing_of, votes_of
from dashboard.models import Approval, Decision, Request

_REQUEST: Final = msgspec.json.Decoder(RequestRow)
COMMANDS: Final = "decision.commands"


class Published(msgspec.Struct, frozen=True):
    """Where the command stands on the log, read back; `at` is the log's append time in µs."""

    topic: str
    partition: int
    offset: int
    at: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is the approval's, `delivery` the decision's way (saved, published, applied, refused, late, undone,
    undeliverable); `text` says where the votes stand. Without a decision yet, `decision_id` is empty.
    `revocation` is empty, asked, revoked or too_late. Instants in µs.
    """

    approval_id: str
    version: int
    round: int
    state: str
    text: str = ""
    have: int = 0
    need: int = 0
    decision_id: str = ""
    decision: str = ""
    by: str = ""
    saved_at: int | None = None
    held_until: int | None = None
    valid_until: int | None = None
    delivery: str = ""
    error: str = ""
    published: Published | None = None
    applied_at: int | None = None
    refused_at: int | None = None
    refused_reason: str = ""
    revocation: str = ""


def receipt_of(approval_id: str) -> Receipt | None:
    """The receipt of the last decision on a request, or where its votes stand; None if nobody ever acted on it."""
    approval = Approval.objects.filter(approval_id=approval_id).first()
    row = Request.objects.filter(approval_id=approval_id).first()
    if approval is None or row is None:
        return None
    return receipt(approval, _REQUEST.decode(row.body))


def receipt(approval: Approval, request: RequestRow) -> Receipt:
    """The receipt of an approval that is at hand."""
    votes = votes_of(approval)
    stands = standing_of(msgspec.convert(request.policy or {}, Policy), votes, request.on_behalf_of)
    common: dict[str, Any] = {
        "approval_id": approval.approval_id,
        "version": approval.version,
        "round": approval.round,
        "state": approval.state,
        "text": stands.text,
        "have": stands.have,
        "need": stands.need,
    }
    decision = last_decision(approval)
    if decision is None:
        return Receipt(**common, saved_at=votes[-1].at if votes else None)
    return Receipt(**common, **_way(decision), **_answers(decision, request))


def last_decision(approval: Approval) -> Decision | None:
    """The last decision on the version in force, an undone one included."""
    found = Decision.objects.filter(approval_id=approval.approval_id, version=approval.version, kind="decision")
    return found.select_related("person").defer("records").order_by("-round").first()


def _way(decision: Decision) -> dict[str, Any]:
    return {
        "decision_id": decision.decision_id,
        "decision": decision.verdict,
        "by": decision.person.get_username() if decision.person else str(decision.provenance.get("by", "")),
        "saved_at": decision.saved_at,
        "held_until": decision.held_until or None,
        "valid_until": decision.valid_until,
        "delivery": decision.state,
        "error": decision.error,
        "published": published(decision),
    }


def published(decision: Decision) -> Published | None:
    """Where the command of a decision stands; where it has none, its first fact."""
    places = [Published(*place) for place in decision.positions]
    commands = [place for place in places if place.topic.endswith(COMMANDS)]
    return next(iter(commands or places), None)


def _answers(decision: Decision, request: RequestRow) -> dict[str, Any]:
    """The agent's answers: as carried over to the decision, else as they stand in the request."""
    found = {each.outcome: each for each in answers_to(decision.decision_id, request)}
    applied, refused = found.get("applied"), found.get("refused")
    return {
        "applied_at": decision.applied_at or (applied.at if applied else None),
        "refused_at": decision.refused_at or (refused.at if refused else None),
        "refused_reason": decision.refused_reason or (refused.reason if refused else ""),
        "revocation": _revocation(decision, found),
    }


def answers_to(decision_id: str, request: RequestRow) -> list[Answered]:
    """What the agent answered to one decision, earliest first."""
    return [each for each in request.receipts if each.decision_id == decision_id]


def _revocation(decision: Decision, found: dict[str, Answered]) -> str:
    if "revoked" in found or "too_late" in found:
        return "revoked" if "revoked" in found else "too_late"
    asked = Decision.objects.filter(approval_id=decision.approval_id, version=decision.version, kind="revoke")
    return "asked" if asked.exists() else ""
