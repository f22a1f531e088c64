"""What agents answered, carried over to the decisions: published becomes applied or refused.

Ingest keeps the answers in the request's row, and whoever shows a receipt joins them there. The decision's own
columns are for counting and for the outbox; the sweeper is the only one that writes them, and only after the relay
has published, so two writers never meet.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from coordination.receipts import Receipt
from coordination.requests import Request as RequestRow
from dashboard.approvals.announcement import announce
from dashboard.approvals.review import touch
from dashboard.clock import database_now
from dashboard.models import Decision, Request
from dashboard.outbox import RELAY_SHARDS, event_id

RECENT: Final = 3600 * 1_000_000
AT_ONCE: Final = 500
PAGE: Final = 500
PUBLISHED: Final = Decision.State.PUBLISHED
_REQUEST: Final = msgspec.json.Decoder(RequestRow)


def learn_new() -> int:
    """Carry over answers to the decisions of the last hour; returns how many were answered."""
    # With its shards named, the index of the outbox leads straight to them.
    recent = _waiting().filter(relay_shard__in=range(RELAY_SHARDS), saved_at__gt=database_now() - RECENT)
    return learn(list(recent[:AT_ONCE]))


class OldAnswers:
    """Carries over answers to all other decisions, one page a call, newest first."""

    def __init__(self) -> None:
        self._before: int | None = None

    def learn(self) -> int:
        """The next page; returns how many were answered."""
        waiting = _waiting() if self._before is None else _waiting().filter(saved_at__lt=self._before)
        page = list(waiting[:PAGE])
        self._before = page[-1].saved_at if page else None
        return learn(page)


def _waiting() -> QuerySet[Decision]:
    return Decision.objects.filter(state=PUBLISHED, kind="decision").defer("records").order_by("-saved_at")


def learn(decisions: Sequence[Decision]) -> int:
    """Carry over what the requests' rows say of these published decisions."""
    ids = {decision.approval_id for decision in decisions}
    rows = dict(Request.objects.filter(approval_id__in=ids).values_list("approval_id", "body"))
    answered = 0
    for decision in decisions:
        if decision.approval_id in rows:
            request = _REQUEST.decode(rows[decision.approval_id])
            answered += _answer(decision, request.receipts)
    return answered


def _answer(decision: Decision, receipts: Iterable[Receipt]) -> bool:
    """One decision, in a transaction of its own: the row that pages show grows newer with it."""
    if not any(each.decision_id == decision.decision_id for each in receipts):
        return False
    with transaction.atomic():
        answered = _answered(decision.decision_id, receipts)
        if answered:
            touch(decision.approval_id)
            announce(decision.approval_id)
        return answered


def _answered(decision_id: str, receipts: Iterable[Receipt]) -> bool:
    answers = {each.outcome: each for each in receipts if each.decision_id == decision_id}
    revoke = event_id("revoke", decision_id)
    revoked = _move(revoke, applied=answers.get("revoked"), refused=answers.get("too_late"))
    return _move(decision_id, applied=answers.get("applied"), refused=answers.get("refused")) or revoked


def _move(row_id: str, *, applied: Receipt | None, refused: Receipt | None) -> bool:
    """A decision that was applied is applied, whatever was said of a second copy of it."""
    found = Decision.objects.filter(pk=row_id, state=PUBLISHED)
    if applied is not None:
        return bool(found.update(state=Decision.State.APPLIED, applied_at=applied.at))
    if refused is not None:
        fields = {"refused_at": refused.at, "refused_reason": refused.reason}
        return bool(found.update(state=Decision.State.REFUSED, **fields))
    return False
