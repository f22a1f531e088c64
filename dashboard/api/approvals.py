"""API calls about approvals: the queue, one request, a decision."""

from typing import Annotated, Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Header

from coordination.query import quoted
from dashboard.api import deciding
from dashboard.api.argtext import NotArguments, read
from dashboard.api.askfilter import asks_in_state, decided_asks, names_a_state, open_asks
from dashboard.api.askshapes import (
    ApprovalDetail,
    ApprovalPage,
    ClaimShape,
    DecisionBody,
    DecisionReceipt,
    DeferralBody,
    EditBody,
    EditShape,
    ManyAnswered,
    ManyBody,
    RevokeBody,
)
from dashboard.api.editing import edit_of
from dashboard.api.paging import size
from dashboard.api.problems import Problem
from dashboard.api.reviewpage import detail, review
from dashboard.api.root import access, allowed, api
from dashboard.approvals.bulk import Reading
from dashboard.models import Request, Run
from dashboard.past import as_of
from dashboard.permissions import may_decide, may_see_approvals

STATES = ("pending", "decided", "granted", "denied", "expired", "withdrawn")


@api.get("approvals", response=ApprovalPage, tags=["approvals"])
@allowed(may_see_approvals)
def approvals(
    request: HttpRequest,
    state: str | None = None,
    query: str = "",
    limit: int | None = None,
    run: str = "",
    at: str | None = None,
) -> dict[str, Any]:
    """Requests for approval. `state=pending` (default) is the queue in the order it should be decided,
    `decided` the last decisions; granted, denied, expired and withdrawn are what the log says. `query` is a query
    line: `risk:high agent:payer due<1h`; one that names a state itself is asked of all requests. `run` keeps those of
    one run; `at` asks for them as of a position of that run."""
    if state is not None and state not in STATES:
        raise Problem(400, "bad_query", f"state={state} is not known; there are {', '.join(STATES)}.")
    if at and not run:
        raise Problem(400, "bad_query", "at= is a position of a run; name the run with run=.")
    if run:
        get_object_or_404(Run.objects.only("run_id"), run_id=run)
        query = f"{query} run:{quoted(run)}"
    with as_of(run, at) as moment:
        return {"items": _asks(state, query, moment.now, size(limit)), "next": None}


def _asks(state: str | None, query: str, now: int, most: int) -> list[dict[str, Any]]:
    if state == "decided":
        return decided_asks(query, now, most)
    if state == "pending" or (state is None and not names_a_state(query)):
        return open_asks(query, now, most)
    return asks_in_state(state or "", query, now, most)


@api.post("approvals/{path:approval_id}/decisions", response={201: DecisionReceipt}, tags=["approvals"])
@allowed(may_decide, "decide")
def decisions(
    request: HttpRequest,
    approval_id: str,
    body: DecisionBody,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> tuple[int, dict[str, Any]]:
    """Decide. 201 with the receipt; 409 with who won; 422 with what changed. The same Idempotency-Key gets the
    first answer again."""
    receipt = deciding.decide(
        access(request).user,
        approval_id,
        decision=body.decision,
        request_version=body.request_version,
        content_hash=body.content_hash,
        comment=body.comment,
        args=_arguments(body),
        key=idempotency_key,
        opened_payload=body.opened_payload,
        dwell_ms=body.dwell_ms,
    )
    return 201, receipt


def _arguments(body: DecisionBody) -> Any:
    try:
        return read(body.args_json) if body.args_json.strip() else body.args
    except NotArguments as error:
        raise Problem(422, error.code, str(error)) from error


@api.post("approvals/{path:approval_id}/claims", response=ClaimShape, tags=["approvals"])
@allowed(may_decide, "decide")
def claims(request: HttpRequest, approval_id: str) -> dict[str, Any]:
    """Claim a request for five minutes, or renew the claim. It tells others; it locks nobody out."""
    return deciding.claim(access(request).user, approval_id)


@api.post("decisions", response=ManyAnswered, tags=["approvals"])
@allowed(may_decide, "decide")
def decide_many(
    request: HttpRequest,
    body: ManyBody,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> dict[str, Any]:
    """Approve or reject up to fifty requests of the same action and policy, low or medium risk. Each is decided for
    itself: won, lost, changed or forbidden, with the words for it. 422 when they may not be decided together."""
    items = [(one.approval_id, one.request_version, one.content_hash) for one in body.items]
    reading = Reading(body.opened_payload, body.dwell_ms)
    done = deciding.decide_many(
        access(request).user, body.decision, items, comment=body.comment, key=idempotency_key or "", reading=reading
    )
    return {"items": done}


@api.delete("approvals/{path:approval_id}/claims", response={204: None}, tags=["approvals"])
@allowed(may_decide, "decide")
def release(request: HttpRequest, approval_id: str) -> tuple[int, None]:
    """Give one's own claim back."""
    get_object_or_404(Request, approval_id=approval_id)
    deciding.release(access(request).user, approval_id)
    return 204, None


@api.post("approvals/{path:approval_id}/deferrals", response={204: None}, tags=["approvals"])
@allowed(may_decide, "decide")
def defer(request: HttpRequest, approval_id: str, body: DeferralBody) -> tuple[int, None]:
    """Put a request off until an instant before it expires; it stays pending, at the end of the queue."""
    get_object_or_404(Request, approval_id=approval_id)
    deciding.defer(access(request).user, approval_id, body.until, body.reason)
    return 204, None


@api.post("approvals/{path:approval_id}/edits", response=EditShape, tags=["approvals"])
@allowed(may_decide, "decide")
def edits(request: HttpRequest, approval_id: str, body: EditBody) -> dict[str, Any]:
    """What an edit would change, and whether it fits the schema; nothing is decided by this."""
    return edit_of(get_object_or_404(Request, approval_id=approval_id), body.args_json)


@api.post("decisions/{str:decision_id}/undo", response=DecisionReceipt, tags=["approvals"])
@allowed(may_decide, "decide")
def undo(request: HttpRequest, decision_id: str) -> dict[str, Any]:
    """Take one's own decision back while it is held, before it is sent; the request is open again."""
    return deciding.undo(access(request).user, decision_id)


@api.post("decisions/{str:decision_id}/revoke", response=DecisionReceipt, tags=["approvals"])
@allowed(may_decide, "decide")
def revoke(request: HttpRequest, decision_id: str, body: RevokeBody) -> dict[str, Any]:
    """Ask the agent not to act on a published decision; it answers revoked, or too late."""
    return deciding.revoke(access(request).user, decision_id, body.reason)


@api.get("approvals/{path:approval_id}", response=ApprovalDetail, tags=["approvals"])
@allowed(may_see_approvals)
def approval(request: HttpRequest, approval_id: str, at: str | None = None) -> dict[str, Any]:
    """One request with its whole action, the votes, and the receipt of the decision; `at` asks for it as of a position
    of its run."""
    run = get_object_or_404(Request.objects.only("run_id"), approval_id=approval_id).run_id
    with as_of(run, at) as moment:
        found = get_object_or_404(Request, approval_id=approval_id)
        return detail(review(found, access(request).user, moment.now))
