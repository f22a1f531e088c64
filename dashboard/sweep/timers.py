"""Timers of approvals: warn, escalate, expire (approvals.md, rule 12).

Each step of a version is taken once: its row is unique and commits with what the step does. A step competes with
people, withdrawals and new versions under the same row lock; whoever comes first wins, by the database's clock.
"""

from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.db.models import BigIntegerField, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.expressions import CombinedExpression

from coordination.approvals import decision_id, on_expiry
from dashboard.approvals import records
from dashboard.approvals.announcement import announce
from dashboard.approvals.clicks import EXPIRY
from dashboard.approvals.decisions import MILLISECOND, VALIDITY, end, put
from dashboard.approvals.records import Verdict
from dashboard.approvals.review import Review, change, locked
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.models import Approval, Request, Step

AUTHOR: Final = "sweeper"
AT_ONCE: Final = 100
"""Steps of one kind taken in one turn; the next turn goes on."""
NOBODY: Final = "Nobody decided in time."
Act = Callable[[Review], None]


def take_due(*, fresh: bool) -> int:
    """Take every step that is due; returns how many. `fresh`: ingest is up to date, so silence may approve."""
    now, taken = database_now(), 0
    for step, found in due(now).items():
        for approval_id, version in found:
            taken += take(approval_id, version, step, fresh=fresh)
    return taken


def due(now: int) -> dict[str, list[tuple[str, int]]]:
    """{step: [(approval id, version), …]} of the steps that are due at `now` (µs) and not taken yet.

    Expiry comes first: who expires need not be warned any more.
    """
    open_ = Approval.objects.filter(state=Approval.State.PENDING)
    asked = Request.objects.filter(approval_id=OuterRef("approval_id"))
    aged = open_.filter(due_at__isnull=False).annotate(asked_at=Subquery(asked.values("requested_at")[:1]))
    return {
        "expire": _untaken(open_.filter(expires_at__lte=now), "expire"),
        "escalate": _untaken(open_.filter(due_at__lte=now), "escalate"),
        "warn": _untaken(aged.filter(due_at__gt=now).annotate(warn_at=_warn_at()).filter(warn_at__lte=now), "warn"),
    }


def _warn_at() -> CombinedExpression:
    """At four fifths of the time from asking until it is due (see `coordination.approvals.steps`)."""
    span = (F("due_at") - F("asked_at")) * 4 / 5
    return CombinedExpression(F("asked_at"), "+", span, output_field=BigIntegerField())


def _untaken(found: QuerySet[Approval], step: str) -> list[tuple[str, int]]:
    taken = Step.objects.filter(approval_id=OuterRef("approval_id"), version=OuterRef("version"), step=step)
    rows = found.filter(~Exists(taken)).order_by("due_at", "approval_id")
    return list(rows.values_list("approval_id", "version")[:AT_ONCE])


def take(approval_id: str, version: int, step: str, *, fresh: bool) -> bool:
    """Take one step; False when somebody else took it, decided, or asked anew, or when it has to wait."""
    with transaction.atomic():
        review = locked(approval_id)
        if not review.open or review.approval.version != version or not _is_due(review, step):
            return False
        act = _at_expiry(review, fresh=fresh) if step == "expire" else ACTS[step]
        if act is None or not take_once(review, step):
            return False
        act(review)
        announce(approval_id)
        return True


def take_once(review: Review, step: str) -> bool:
    """Enter a step of a version; False if it is there already."""
    approval = review.approval
    key = {"approval_id": approval.approval_id, "version": approval.version, "step": step}
    return Step.objects.get_or_create(**key, defaults={"at": review.now})[1]


def _is_due(review: Review, step: str) -> bool:
    approval = review.approval
    at = approval.expires_at if step == "expire" else approval.due_at
    return at is not None and (step == "warn" or at <= review.now)


def _at_expiry(review: Review, *, fresh: bool) -> Act | None:
    """What expiry does. To approve by silence waits until ingest is fresh: a reason against it may be unread."""
    request = review.request
    outcome = on_expiry(
        request.on_expiry, risk=review.approval.risk, reversibility=request.reversibility, ingest_fresh=fresh
    )
    suspended = request.on_expiry == "approve" and outcome == "wait"
    return None if suspended else AT_EXPIRY[outcome]


def _warn(review: Review) -> None:
    change(review.approval)
    _enter(review, "approval.warned", {"due_at": review.approval.due_at})


def _escalate(review: Review) -> None:
    _hand_up(review, 1, "Nobody decided until it was due.")


def _escalate_expired(review: Review) -> None:
    review.approval.expires_at = None
    _hand_up(review, 2, NOBODY)


def _hand_up(review: Review, level: int, reason: str) -> None:
    approval = review.approval
    approval.escalated_at = review.now
    approval.escalated_to = ", ".join(review.policy.required_groups) or "operator"
    change(approval, "escalated_at", "escalated_to", "expires_at")
    data = {"to": approval.escalated_to, "level": level, "reason": reason}
    _put_fact(review, "approval.escalated", data, "escalation")
    _enter(review, "approval.escalated", data)


def _wait(review: Review) -> None:
    """Expiry without an end: it stays pending, without a limit from now on."""
    review.approval.expires_at = None
    change(review.approval, "expires_at")
    _put_fact(review, "approval.deferred", {"reason": f"{NOBODY} It is kept waiting."}, "defer")
    _enter(review, "approval.kept", {})


def _reject(review: Review) -> None:
    _end(review, "reject", NOBODY, Approval.State.EXPIRED)


def _approve(review: Review) -> None:
    _end(review, "approve", "Approved by expiry: low risk and reversible.", Approval.State.GRANTED)


def _end(review: Review, decision: str, feedback: str, state: str) -> None:
    approval, asked = review.approval, review.policy.validity_ms
    verdict = Verdict(
        decision_id=decision_id(approval.approval_id, approval.version, approval.round),
        decision=decision,
        by=EXPIRY,
        at=review.now,
        valid_until=review.now + (asked * MILLISECOND if asked else VALIDITY),
        feedback=feedback,
    )
    end(review, verdict, decided_by=EXPIRY, state=state)
    _enter(review, "approval.expired", {"decision_id": verdict.decision_id, "outcome": decision})


def _put_fact(review: Review, name: str, data: dict[str, Any], kind: str) -> None:
    made = records.fact(review, name, data, made_of=[kind, review.now], at=review.now)
    put(review, records.id_of(made), [made], kind=kind, verdict=kind)


def _enter(review: Review, act: str, detail: dict[str, Any]) -> None:
    approval = review.approval
    enter(AUTHOR, act, f"approval/{approval.approval_id}", {"version": approval.version, **detail})


ACTS: Final[dict[str, Act]] = {"warn": _warn, "escalate": _escalate}
AT_EXPIRY: Final[dict[str, Act]] = {
    "reject": _reject,
    "approve": _approve,
    "wait": _wait,
    "escalate": _escalate_expired,
}
