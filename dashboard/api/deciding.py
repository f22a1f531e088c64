"""What people do to an approval, as page and API post it: decide, take back, ask to revoke, claim.

The acts themselves are transactions in `dashboard.approvals`. Losing is no error of the person: the answer says who
won, when and with what, or what changed while they read.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied

from coordination.instants import parse
from coordination.lag import words
from dashboard.api.instants import iso, to_millisecond
from dashboard.api.problems import Problem
from dashboard.api.queue import latest_decisions
from dashboard.api.receiptrows import WORDS, receipt_row
from dashboard.approvals import bulk, claims, decisions, takingback
from dashboard.approvals.bulk import Reading
from dashboard.approvals.errors import (
    AlreadyDecided,
    Expired,
    InvalidDecision,
    KeyReused,
    NotAllowed,
    NotDecided,
    RequestChanged,
    UnknownApproval,
)
from dashboard.approvals.receipts import Receipt
from dashboard.permissions import Person, may_decide, require

Answer = TypeVar("Answer")


def decide(
    person: Person,
    approval_id: str,
    *,
    decision: str,
    request_version: int,
    content_hash: str,
    comment: str = "",
    args: Any = None,
    key: str | None = None,
    opened_payload: bool = False,
    dwell_ms: int | None = None,
) -> dict[str, Any]:
    """Saves one decision and returns its receipt. Raises Problem 404, 409 (somebody else won) or 422 (the request
    changed meanwhile, or the decision makes no sense), and PermissionDenied."""
    require(person, may_decide)
    saved = told(
        lambda: decisions.decide(
            approval_id=approval_id,
            user=person,
            decision=decision,
            request_version=request_version,
            content_hash=content_hash,
            comment=comment,
            args=args,
            idempotency_key=key,
            opened_payload=opened_payload,
            dwell_ms=dwell_ms,
        )
    )
    return receipt_of(saved)


def decide_many(
    person: Person, decision: str, items: list[tuple[str, int, str]], *, comment: str, key: str, reading: Reading
) -> list[dict[str, Any]]:
    """Decides several requests; each has its own answer. Raises Problem 422 when they may not be decided together."""
    require(person, may_decide)
    wanted = [bulk.Item(*item) for item in items]
    done = told(lambda: bulk.decide_many(person, decision, wanted, comment=comment, key=key, reading=reading))
    return [_answered(each) for each in done]


def _answered(each: bulk.Answered) -> dict[str, Any]:
    common = {"approval_id": each.approval_id, "outcome": each.outcome}
    if each.receipt is not None:
        receipt = receipt_of(each.receipt)
        return common | {"detail": "" if receipt["final"] else receipt["standing"], "receipt": receipt}
    refusal = each.refusal
    words = refusal.reason if isinstance(refusal, NotAllowed) else _problem(refusal).detail if refusal else ""
    return common | {"detail": words, "receipt": None}


def undo(person: Person, decision_id: str) -> dict[str, Any]:
    """Takes one's own decision back while it is still held. Raises PermissionDenied when it is too late."""
    require(person, may_decide)
    return receipt_of(told(lambda: takingback.undo(decision_id, person)))


def revoke(person: Person, decision_id: str, reason: str) -> dict[str, Any]:
    """Asks the agent not to act on a published decision. Raises PermissionDenied when there is nothing to revoke."""
    require(person, may_decide)
    return receipt_of(told(lambda: takingback.revoke(decision_id, person, reason)))


def claim(person: Person, approval_id: str) -> dict[str, Any]:
    """Claims a request or renews the claim; the answer names whose claim holds and until when."""
    require(person, may_decide)
    held = told(lambda: claims.claim(approval_id, person))
    return {"approval_id": approval_id, "person": held.person.get_username(), "until": iso(held.until)}


def release(person: Person, approval_id: str) -> None:
    """Gives one's own claim back."""
    require(person, may_decide)
    claims.release(approval_id, person)


def defer(person: Person, approval_id: str, until: str, reason: str) -> None:
    """Puts a request off. Raises PermissionDenied for an instant that is past or too late."""
    require(person, may_decide)
    try:
        at = parse(until)
    except ValueError as error:
        example = "Give the instant with its offset from UTC, such as 2026-05-01T12:00:00Z."
        raise Problem(422, "bad_instant", example) from error
    told(lambda: claims.defer(approval_id, person, at, reason))


def told(act: Callable[[], Answer]) -> Answer:
    """Runs an act; what it refuses becomes the answer that fits."""
    try:
        return act()
    except NotAllowed as refused:
        raise PermissionDenied(refused.reason) from refused
    except NotDecided as lost:
        raise _problem(lost) from lost


def _problem(lost: NotDecided) -> Problem:
    if isinstance(lost, AlreadyDecided):
        members = {"winner": lost.winner, "decision": lost.decision, "at": iso(lost.when), "reason": lost.reason}
        members["clicked_at"] = iso(lost.clicked_at or None)
        return Problem(409, lost.code, _who_won(lost), **members)
    if isinstance(lost, RequestChanged):
        versions = {"old_version": lost.old_version, "new_version": lost.new_version}
        return Problem(422, lost.code, f"{lost} Nothing was decided.", **versions, diff=lost.difference)
    status = {UnknownApproval: 404, InvalidDecision: 422, KeyReused: 422}.get(type(lost), 409)
    return Problem(status, lost.code, str(lost))


def _who_won(lost: AlreadyDecided) -> str:
    """Who was first, by how much, and with which words; instants stand as RFC 3339 for pages to write."""
    if isinstance(lost, Expired):
        told = f"Expired {to_millisecond(lost.at)}, your click came at {to_millisecond(lost.clicked_at)}."
    else:
        word = WORDS.get(lost.decision, lost.decision).capitalize()
        ahead = f"{_span(lost.clicked_at - lost.when)} " if lost.clicked_at > lost.when else ""
        told = (
            f"{word} by {lost.winner} {ahead}before you{f': {lost.reason}' if lost.reason else ''}".rstrip(". ") + "."
        )
    return f"{told} Your comment is kept as a note." if lost.noted else told


def _span(duration: int) -> str:
    """Whole seconds where they say enough."""
    return words(duration).replace(".0 s", " s")


def receipt_of(saved: Receipt) -> dict[str, Any]:
    """The receipt: of the decision if this vote made one, else of the vote alone."""
    common = {"approval_id": saved.approval_id, "approval_state": saved.state, "standing": saved.text}
    decision = latest_decisions([saved.approval_id]).get(saved.approval_id) if saved.decision_id else None
    if decision is not None:
        return {**common, "final": True, **receipt_row(decision)}
    nothing: dict[str, Any] = {"published": None, "applied_at": None, "refused": None, "stops": []}
    return {**common, "final": False, "saved_at": iso(saved.saved_at), **nothing}
