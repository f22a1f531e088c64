"""Claims, deferrals, first views: what people do to an approval without deciding it. It stays pending.

A claim is a lease that others see, not a lock: deciding needs none. Whoever claims again renews; somebody else gets
the claim when it has run out, or takes it over on purpose.
"""

from typing import Any, Final

from django.db import transaction

from coordination.instants import rfc3339
from dashboard.approvals import records
from dashboard.approvals.announcement import announce
from dashboard.approvals.clicks import ended
from dashboard.approvals.decisions import put
from dashboard.approvals.errors import NotAllowed
from dashboard.approvals.persons import voter_of
from dashboard.approvals.review import Review, change, locked, touch
from dashboard.audit import enter
from dashboard.models import Approval, Claim
from dashboard.permissions import may_decide

LEASE: Final = 5 * 60 * 1_000_000
"""How long (µs) a claim lasts without being renewed."""


def claim(approval_id: str, user: Any, *, take_over: bool = False) -> Claim:
    """Claim a request, or renew the claim; the answer is the claim that holds, which may be somebody else's.

    Raises NotAllowed without the right to decide, AlreadyDecided when nothing is left to decide.
    """
    with transaction.atomic():
        review = _open(approval_id, user)
        held = Claim.objects.select_related("person").filter(pk=approval_id, until__gt=review.now).first()
        if held is not None and held.person_id != user.pk and not take_over:
            return held
        mine = held is not None and held.person_id == user.pk
        since = held.since if held is not None and mine else review.now
        until = review.now + LEASE
        kept, _ = Claim.objects.update_or_create(
            approval_id=approval_id, defaults={"person": user, "since": since, "until": until}
        )
        change(review.approval)
        if not mine:
            _tell_claimed(review, user, until)
        announce(approval_id)
        return kept


def release(approval_id: str, user: Any) -> None:
    """Give one's own claim back."""
    with transaction.atomic():
        if Claim.objects.filter(pk=approval_id, person=user).delete()[0]:
            touch(approval_id)
            announce(approval_id)


def viewed(approval_id: str) -> None:
    """Note that somebody has opened the request; only the first time counts, and only that takes the lock."""
    if Approval.objects.filter(approval_id=approval_id, first_viewed_at__isnull=False).exists():
        return
    with transaction.atomic():
        review = locked(approval_id)
        if review.open and review.approval.first_viewed_at is None:
            review.approval.first_viewed_at = review.now
            change(review.approval, "first_viewed_at")


def defer(approval_id: str, user: Any, until: int, reason: str = "") -> None:
    """Put a request off until an instant (µs). Raises NotAllowed, also for an instant that is past or too late."""
    with transaction.atomic():
        review = _open(approval_id, user)
        expires_at = review.approval.expires_at
        if until <= review.now:
            raise NotAllowed("Choose a time that lies ahead.")
        if expires_at is not None and until >= expires_at:
            raise NotAllowed(f"The request expires at {rfc3339(expires_at)}; choose a time before that.")
        review.approval.deferred_until = until
        change(review.approval, "deferred_until")
        data = {"until": rfc3339(until), "reason": reason}
        made_of: list[object] = ["deferred", until, user.pk, review.now]
        made = records.fact(review, "approval.deferred", data, made_of=made_of, at=review.now)
        put(review, records.id_of(made), [made], kind="defer", verdict="defer", person=user)
        detail = {"version": review.approval.version, "until": until, "reason": reason}
        enter(voter_of(user), "approval.deferred", f"approval/{approval_id}", detail)
        announce(approval_id)


def _open(approval_id: str, user: Any) -> Review:
    if not may_decide(user):
        raise NotAllowed("You have no right to vote on approvals.")
    review = locked(approval_id)
    if (closed := ended(review)) is not None:
        raise closed
    return review


def _tell_claimed(review: Review, user: Any, until: int) -> None:
    data = {"claimed_by": voter_of(user), "lease_until": rfc3339(until)}
    made_of: list[object] = ["claimed", user.pk, review.now]
    made = records.fact(review, "approval.claimed", data, made_of=made_of, at=review.now)
    put(review, records.id_of(made), [made], kind="claim", verdict="claim", person=user)
    detail = {"version": review.approval.version}
    enter(voter_of(user), "approval.claimed", f"approval/{review.approval.approval_id}", detail)
