"""Rows of approvals: the request as lists show it, and the receipt of a decision as three stops.

A row that travels to many browsers carries no arguments; those are in the detail, behind the right to see them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coordination.approvals import RISKS, known_risk
from coordination.receipts import Receipt
from coordination.requests import Request
from dashboard.api.addresses import address
from dashboard.api.instants import iso
from dashboard.api.signs import UNKNOWN, Sign
from dashboard.models import Approval, Decision

Row = dict[str, Any]
NO_DATE: Final = 2**53
GROUPS: Final = {"critical": "High risk", "high": "High risk", "medium": "Medium risk", "low": "Low risk"}
WORDS: Final = {"approve": "granted", "edit": "granted with edits", "reject": "rejected", "respond": "answered"}
SIGNS: Final[dict[str, Sign]] = {
    "pending": {"sign": "human", "label": "needs a decision"},
    "granted": {"sign": "done", "label": "granted"},
    "denied": {"sign": "failed", "label": "denied"},
    "expired": {"sign": "failed", "label": "expired"},
    "withdrawn": {"sign": "canceled", "label": "withdrawn"},
}
NEVER_SENT: Final[dict[str, str]] = {
    Decision.State.LATE: "Not sent in time",
    Decision.State.UNDONE: "Undone",
    Decision.State.UNDELIVERABLE: "Cannot be delivered",
}
EXPIRY: Final = {
    "reject": "rejected",
    "escalate": "escalated",
    "wait": "kept waiting",
    "approve": "approved if the risk is low, else rejected",
}


def title_of(request: Request) -> str:
    """What is asked, in the agent's words if it gave any."""
    action = request.action if isinstance(request.action, Mapping) else {}
    named = request.title or request.question
    return named or str(action.get("name") or "") or f"request {request.approval_id}"


def risk_of(request: Request, approval: Approval | None) -> str:
    """The risk in force: what our rules made of it where they have spoken, else what the agent claims."""
    return known_risk((approval.risk if approval else "") or request.risk)


def state_of(request: Request, approval: Approval | None) -> str:
    """pending, granted, denied, expired or withdrawn: ours where it is about this version, else the log's."""
    if approval is not None and approval.version == request.version and approval.state != Approval.State.PENDING:
        return approval.state
    return request.state


def queue_order(request: Request, approval: Approval | None, now: int) -> list[Any]:
    """The place in the queue: overdue, then risk, then due, then age; the same rule as the policy's."""
    overdue = request.due_at is not None and request.due_at < now
    return [
        0 if overdue else 1,
        0 if overdue else -RISKS.index(risk_of(request, approval)),
        NO_DATE if request.due_at is None else request.due_at,
        NO_DATE if request.requested_at is None else request.requested_at,
        request.approval_id,
    ]


def request_row(
    request: Request,
    approval: Approval | None = None,
    decision: Decision | None = None,
    *,
    now: int,
    claim: Mapping[str, Any] | None = None,
) -> Row:
    """One approval in the queue. `claim` is {person, until} while somebody looks at it."""
    action = request.action if isinstance(request.action, Mapping) else {}
    risk, state = risk_of(request, approval), state_of(request, approval)
    order = queue_order(request, approval, now)
    return {
        "kind": "approval",
        "id": request.approval_id,
        "revision": request.revision * 1000 + (approval.revision if approval else 0),
        "order": order,
        "group": "Overdue" if order[0] == 0 else GROUPS[risk],
        "approval_id": request.approval_id,
        "url": address("approvals", request.approval_id),
        "run_id": request.run_id,
        "tenant": request.tenant or "default",
        "task_id": request.task_id,
        "request_version": request.version,
        "content_hash": request.content_hash,
        "state": state,
        "open": state == "pending",
        "sign": SIGNS.get(state, UNKNOWN),
        "title": title_of(request),
        "asked_by": request.agent_id or request.agent_group,
        "agent_group": request.agent_group,
        "action": {"name": str(action.get("name") or ""), "target": str(action.get("target") or "")},
        "ask_kind": request.kind,
        "risk": risk,
        "risk_label": "question" if request.kind == "question" else f"{risk} risk",
        "priority": request.priority,
        "requested_at": iso(request.requested_at),
        "due_at": iso(request.due_at if request.due_at is not None else request.expires_at),
        "expires_at": iso(request.expires_at),
        "on_expiry": EXPIRY.get(request.on_expiry, "rejected"),
        "claim": dict(claim) if claim else None,
        "receipt": receipt_row(decision, request.receipts) if decision else None,
    }


def receipt_row(decision: Decision, answers: Sequence[Receipt] = (), *, waits: str = "") -> Row:
    """The receipt of one decision. Never a tick ahead of the fact: saved here, published on the log (read
    back), applied or refused by the agent. `waits` says what the agent does while it has not answered."""
    answer = next((each for each in reversed(answers) if each.decision_id == decision.decision_id), None)
    applied_at = decision.applied_at or (answer.at if answer and answer.outcome == "applied" else None)
    refused_at = decision.refused_at or (answer.at if answer and answer.outcome == "refused" else None)
    reason = decision.refused_reason or (answer.reason if answer else "")
    published = _published(decision)
    return {
        "decision_id": decision.decision_id,
        "decision": decision.verdict,
        "word": WORDS.get(decision.verdict, decision.verdict),
        "by": decision.person.get_username() if decision.person else str(decision.provenance.get("by", "")),
        "state": decision.state,
        "saved_at": iso(decision.saved_at),
        "held_until": iso(decision.held_until or None),
        "valid_until": iso(decision.valid_until),
        "published": published,
        "applied_at": iso(applied_at),
        "refused": {"reason": reason, "at": iso(refused_at)} if refused_at is not None else None,
        "error": decision.error,
        "order": [-decision.saved_at],
        **_stage(decision, published, applied_at, refused_at),
        "stops": _stops(decision, published, applied_at, refused_at, reason, waits),
    }


def _stage(decision: Decision, published: Row | None, applied_at: int | None, refused_at: int | None) -> Row:
    """The furthest stop in one word, with its sign."""
    if applied_at is not None:
        return {"stage": "Applied", "sign": {"sign": "done", "label": "applied"}}
    if refused_at is not None:
        return {"stage": "Refused", "sign": {"sign": "failed", "label": "refused"}}
    if decision.state in NEVER_SENT:
        return {"stage": NEVER_SENT[decision.state], "sign": {"sign": "failed", "label": NEVER_SENT[decision.state]}}
    if published:
        return {"stage": "Published", "sign": {"sign": "running", "label": "published"}}
    return {"stage": "Saved", "sign": {"sign": "waiting", "label": "saved"}}


def _published(decision: Decision) -> Row | None:
    if decision.published_at is None or not decision.positions:
        return None
    places = [place for place in decision.positions if str(place[0]).endswith(".decision.commands")]
    topic, partition, offset, *rest = (places or decision.positions)[0]
    at = rest[0] if rest else decision.published_at
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "at": iso(at),
        "position": f"{partition}@{offset}",
        "url": address("records", topic, partition, offset),
    }


def _stop(name: str, state: str, **more: Any) -> Row:
    return {"name": name, "stop": state, "at": None, "detail": "", "position": "", "url": None, **more}


def _stops(
    decision: Decision,
    published: Row | None,
    applied_at: int | None,
    refused_at: int | None,
    reason: str,
    waits: str,
) -> list[Row]:
    return [
        _stop("Saved", "done", at=iso(decision.saved_at)),
        _second(decision, published),
        _third(decision, published, applied_at, refused_at, reason, waits),
    ]


def _second(decision: Decision, published: Row | None) -> Row:
    if published:
        return _stop("Published", "done", at=published["at"], position=published["position"], url=published["url"])
    if decision.state == Decision.State.LATE:
        return _stop("Not sent in time", "bad", detail="The agent was not given permission.")
    if decision.state == Decision.State.UNDONE:
        return _stop("Undone", "held", detail="Taken back before it was sent.")
    if decision.state == Decision.State.UNDELIVERABLE:
        return _stop("Cannot be delivered", "bad", detail=decision.error)
    if decision.error:
        return _stop("Published", "held", detail=f"Not sent yet: {decision.error} It will be sent by itself.")
    return _stop("Published", "todo")


def _third(
    decision: Decision, published: Row | None, applied_at: int | None, refused_at: int | None, reason: str, waits: str
) -> Row:
    if applied_at is not None:
        return _stop("Applied", "done", at=iso(applied_at))
    if refused_at is not None:
        return _stop("Refused", "bad", at=iso(refused_at), detail=f"Published, but refused: {reason}.")
    if decision.state in (Decision.State.LATE, Decision.State.UNDONE, Decision.State.UNDELIVERABLE):
        return _stop("Applied", "todo", detail="Never, since it was not sent.")
    return _stop("Applied", "todo", detail=waits if published else "")
