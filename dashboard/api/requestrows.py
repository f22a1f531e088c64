"""Rows of approvals: the request as lists show it; the receipt of its decision is `receiptrows`.

A row that travels to many browsers carries no arguments; those are in the detail, behind the right to see them.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from coordination.approvals import RISKS, bulk_allowed, known_risk
from coordination.requests import Request
from coordination.visible import visible
from dashboard.api.addresses import address
from dashboard.api.instants import iso
from dashboard.api.receiptrows import receipt_row
from dashboard.api.signs import UNKNOWN, Sign
from dashboard.models import Approval, Decision

Row = dict[str, Any]
NO_DATE: Final = 2**53
PLACES: Final = {0: "Overdue", 2: "Later"}
GROUPS: Final = {"critical": "High risk", "high": "High risk", "medium": "Medium risk", "low": "Low risk"}
SIGNS: Final[dict[str, Sign]] = {
    "pending": {"sign": "human", "label": "needs a decision"},
    "granted": {"sign": "done", "label": "granted"},
    "denied": {"sign": "failed", "label": "denied"},
    "expired": {"sign": "failed", "label": "expired"},
    "withdrawn": {"sign": "canceled", "label": "withdrawn"},
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
    return visible(named or str(action.get("name") or "") or f"request {request.approval_id}")


def risk_of(request: Request, approval: Approval | None) -> str:
    """The risk in force: what our rules made of it where they have spoken, else what the agent claims."""
    return known_risk((approval.risk if approval else "") or request.risk)


def state_of(request: Request, approval: Approval | None) -> str:
    """pending, granted, denied, expired or withdrawn: ours where it is about this version, else the log's."""
    if approval is not None and approval.version == request.version and approval.state != Approval.State.PENDING:
        return approval.state
    return request.state


def expires_at(request: Request, approval: Approval | None) -> int | None:
    """When a request expires (µs): as asked, unless it was kept waiting or handed up since."""
    ours = approval is not None and approval.version == request.version
    return approval.expires_at if approval is not None and ours else request.expires_at


def queue_order(request: Request, approval: Approval | None, now: int) -> list[Any]:
    """The place in the queue: overdue, then risk, then due, then age; the same rule as the policy's."""
    overdue = request.due_at is not None and request.due_at < now
    later = approval is not None and (approval.deferred_until or 0) > now
    return [
        2 if later else 0 if overdue else 1,
        0 if overdue else -RISKS.index(risk_of(request, approval)),
        NO_DATE if request.due_at is None else request.due_at,
        NO_DATE if request.requested_at is None else request.requested_at,
        request.approval_id,
    ]


class Around(msgspec.Struct, frozen=True):
    """What stands around a request in other tables: the last decision and what was asked about it later, the claim
    ({person, until}) while somebody looks at it, the hash after an edit of this round, where foreign records stand,
    and how many tasks wait before the agent's group.
    """

    decision: Decision | None = None
    revoke: Decision | None = None
    claim: Mapping[str, Any] | None = None
    edited_hash: str = ""
    foreign: tuple[str, ...] = ()
    group_waiting: int | None = None


NOTHING: Final = Around()


def request_row(request: Request, approval: Approval | None = None, around: Around = NOTHING, *, now: int) -> Row:
    """One approval in the queue."""
    action = request.action if isinstance(request.action, Mapping) else {}
    risk, state = risk_of(request, approval), state_of(request, approval)
    order, decision = queue_order(request, approval, now), around.decision
    silence = {"group": request.agent_group, "waiting": around.group_waiting}
    return {
        "kind": "approval",
        "id": request.approval_id,
        "revision": request.revision * 1000 + (approval.revision if approval else 0),
        "order": order,
        "group": PLACES.get(order[0]) or GROUPS[risk],
        "deferred_until": iso(approval.deferred_until if approval else None),
        "approval_id": request.approval_id,
        "url": address("approvals", request.approval_id),
        "run_id": request.run_id,
        "tenant": request.tenant or "default",
        "task_id": request.task_id,
        "request_version": request.version,
        "content_hash": around.edited_hash or request.content_hash,
        "state": state,
        "open": state == "pending",
        "sign": SIGNS.get(state, UNKNOWN),
        "title": title_of(request),
        "asked_by": request.agent_id or request.agent_group,
        "agent_group": request.agent_group,
        "action": {name: visible(str(action.get(name) or "")) for name in ("name", "target")},
        "ask_kind": request.kind,
        "risk": risk,
        "risk_label": "question" if request.kind == "question" else f"{risk} risk",
        "priority": request.priority,
        "blocks": approval.blocks if approval else None,
        "bulk": bulk_key(request, risk) if state == "pending" else "",
        "requested_at": iso(request.requested_at),
        "due_at": iso(request.due_at if request.due_at is not None else request.expires_at),
        "expires_at": iso(expires_at(request, approval)),
        "escalated_to": approval.escalated_to if approval and approval.version == request.version else "",
        "on_expiry": EXPIRY.get(request.on_expiry, "rejected"),
        "claim": dict(around.claim) if around.claim else None,
        "foreign": list(around.foreign),
        "receipt": receipt_row(decision, request.receipts, around.revoke, silence) if decision else None,
    }


def bulk_key(request: Request, risk: str) -> str:
    """What requests must share to be decided together; empty for those that are decided one by one."""
    action = request.action if isinstance(request.action, Mapping) else {}
    if request.kind == "question" or bulk_allowed(risk, 1, same_action=True, same_policy=True):
        return ""
    policy = msgspec.json.encode(request.policy or {}, order="sorted")
    return f"{action.get('name') or ''}/{hashlib.sha256(policy).hexdigest()[:12]}"
