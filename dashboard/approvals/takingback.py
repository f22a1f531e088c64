"""Taking a decision back: undo while it is still held, a request to revoke once it was published.

Undo is certain: nothing was sent. It voids the round, so all votes of that round are void too and the approval is
open again. Revoking asks: the agent answers `decision.revoked`, or that it is too late (approvals.md, rule 14).
"""

from typing import Any

from django.db import transaction

from coordination.instants import rfc3339
from dashboard import outbox
from dashboard.approvals import records
from dashboard.approvals.announcement import announce
from dashboard.approvals.decisions import put
from dashboard.approvals.errors import NotAllowed, UnknownApproval
from dashboard.approvals.persons import voter_of
from dashboard.approvals.receipts import Receipt, answers_to, receipt
from dashboard.approvals.review import Review, change, locked
from dashboard.audit import enter
from dashboard.models import Approval, Decision
from dashboard.permissions import may_decide

SENT = frozenset({Decision.State.PUBLISHED, Decision.State.APPLIED})


def undo(decision_id: str, user: Any) -> Receipt:
    """Take back one's own decision within its undo window; the approval is pending again, in a new round.

    Raises NotAllowed when the window has passed, somebody else decided, or it was sent already.
    """
    with transaction.atomic():
        review, decision = _locked(decision_id)
        if decision.person_id != user.pk:
            raise NotAllowed("Only the person who decided can take it back.")
        held = Decision.objects.filter(
            pk=decision_id, state=Decision.State.SAVED, tried_at=None, held_until__gt=review.now
        )
        if not held.update(state=Decision.State.UNDONE):
            raise NotAllowed("Too late to undo: it is on its way to the agent. Ask to revoke it instead.")
        _reopen(review.approval)
        detail = {"decision_id": decision_id, "version": decision.version, "round": decision.round}
        enter(voter_of(user), "approval.undone", f"approval/{decision.approval_id}", detail)
        announce(decision.approval_id)
        return receipt(review.approval, review.request)


def _reopen(approval: Approval) -> None:
    approval.round += 1
    approval.state, approval.reason = Approval.State.PENDING, ""
    approval.decided_at, approval.decided_by = None, ""
    change(approval, "round", "state", "reason", "decided_at", "decided_by")


def revoke(decision_id: str, user: Any, reason: str = "") -> Receipt:
    """Ask the agent not to act on a published decision. Asking twice is asking once.

    Raises NotAllowed while the decision can be undone, before it was published, and after it was applied or refused.
    """
    if not may_decide(user):
        raise NotAllowed("You have no right to vote on approvals.")
    with transaction.atomic():
        review, decision = _locked(decision_id)
        row_id = outbox.event_id("revoke", decision_id)
        if not Decision.objects.filter(pk=row_id).exists():
            _check_revocable(review, decision)
            request = records.revoke_requested(review, decision, reason, review.now)
            put(review, row_id, [request], kind="revoke", verdict="revoke", person=user)
            change(review.approval)
            detail = {"decision_id": decision_id, "version": decision.version, "reason": reason}
            enter(voter_of(user), "decision.revoke", f"approval/{decision.approval_id}", detail)
            announce(decision.approval_id)
        return receipt(review.approval, review.request)


def _check_revocable(review: Review, decision: Decision) -> None:
    answers = answers_to(decision.decision_id, review.request)
    outcomes = {each.outcome for each in answers}
    if decision.state == Decision.State.APPLIED or "applied" in outcomes:
        at = decision.applied_at or next(one.at for one in answers if one.outcome == "applied")
        raise NotAllowed(f"Already executed {rfc3339(at)[:19]}Z. It cannot be revoked; compensate the task instead.")
    if decision.state == Decision.State.REFUSED or "refused" in outcomes:
        raise NotAllowed("The agent refused this decision; there is nothing to revoke.")
    if decision.state not in SENT:
        raise NotAllowed("It was not sent, so there is nothing to revoke.")


def _locked(decision_id: str) -> tuple[Review, Decision]:
    found = Decision.objects.filter(pk=decision_id, kind="decision").first()
    if found is None:
        raise UnknownApproval(decision_id)
    review = locked(found.approval_id)
    decision = Decision.objects.get(pk=decision_id)
    if (decision.version, decision.round) != (review.approval.version, review.approval.round):
        raise NotAllowed("A newer version or round replaced this decision.")
    return review, decision
