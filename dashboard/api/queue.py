"""The queue of approvals: what is open, in the order it should be decided, and what was just decided."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from django.db.models import Exists, F, OuterRef, QuerySet

from coordination.requests import Request as RequestRow
from dashboard.api.instants import iso
from dashboard.api.requestrows import request_row
from dashboard.models import Approval, Claim, Decision, Request

LIMIT: Final = 200
DECODER: Final = msgspec.json.Decoder(RequestRow)


def request_of(row: Request) -> RequestRow:
    """The whole row of a request out of its body."""
    return DECODER.decode(row.body)


def open_requests() -> QuerySet[Request]:
    """Requests that still wait for a person: pending on the log, and not decided here for this version."""
    settled = Approval.objects.filter(approval_id=OuterRef("approval_id"), version=OuterRef("version")).exclude(
        state=Approval.State.PENDING
    )
    return Request.objects.filter(~Exists(settled), state="pending", version__gt=0)


def open_count() -> int:
    """How many requests wait for a person."""
    return open_requests().count()


def open_rows(now: int, limit: int = LIMIT) -> list[dict[str, Any]]:
    """The rows of the queue in its order; at most `limit`, those due first."""
    found = open_requests().order_by(F("due_at").asc(nulls_last=True), "requested_at", "approval_id")[:limit]
    return sorted(rows_of(found, now), key=lambda row: row["order"])


def rows_of(requests: Iterable[Request], now: int) -> list[dict[str, Any]]:
    """Rows of these requests, with what people did to them; three queries however many there are."""
    found = list(requests)
    ids = [each.approval_id for each in found]
    approvals = {each.approval_id: each for each in Approval.objects.filter(approval_id__in=ids)}
    decisions = latest_decisions(ids)
    claims = {
        each.approval_id: {"person": each.person.get_username(), "until": iso(each.until)}
        for each in Claim.objects.filter(approval_id__in=ids, until__gt=now).select_related("person")
    }
    return [
        request_row(
            request_of(each),
            approvals.get(each.approval_id),
            decisions.get(each.approval_id),
            now=now,
            claim=claims.get(each.approval_id),
        )
        for each in found
    ]


def latest_decisions(approval_ids: list[str]) -> dict[str, Decision]:
    """The last decision of each of these approvals."""
    found = (
        Decision.objects.filter(approval_id__in=approval_ids, kind="decision")
        .select_related("person")
        .defer("records")
        .order_by("saved_at")
    )
    return {each.approval_id: each for each in found}


def decided_rows(now: int, limit: int = 5) -> list[dict[str, Any]]:
    """The last decisions with their receipts, newest first."""
    latest = list(
        Decision.objects.filter(kind="decision").order_by("-saved_at").values_list("approval_id", flat=True)[:limit]
    )
    requests = {each.approval_id: each for each in Request.objects.filter(approval_id__in=latest)}
    return rows_of([requests[each] for each in dict.fromkeys(latest) if each in requests], now)


def urgency(rows: list[dict[str, Any]], now: int) -> dict[str, int]:
    """The four figures over the queue: overdue, due within 20 minutes, due later, without a date."""
    soon = now + 20 * 60 * 1_000_000
    figures = {"overdue": 0, "soon": 0, "later": 0, "undated": 0}
    for row in rows:
        due = row["order"][2]
        if due >= 2**53:
            figures["undated"] += 1
        elif due < now:
            figures["overdue"] += 1
        else:
            figures["soon" if due <= soon else "later"] += 1
    return figures
