"""The queue of approvals: what is open, in the order it should be decided, and what was just decided."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from django.db.models import Exists, F, OuterRef, QuerySet

from coordination.requests import Request as RequestRow
from dashboard.api.instants import iso
from dashboard.api.paging import counted
from dashboard.api.requestrows import Around, request_row
from dashboard.models import Approval, Claim, ConsumerGroup, Decision, Request, Step, Vote

LIMIT: Final = 200
FOREIGN: Final = "foreign:"
"""What the marks of records begin with that somebody else wrote, see `sweep.foreign`."""
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
    """How many requests wait for a person, as `counted` says."""
    return counted(open_requests())


def open_rows(now: int, limit: int = LIMIT) -> list[dict[str, Any]]:
    """The rows of the queue in its order; at most `limit`, those due first."""
    found = open_requests().order_by(F("due_at").asc(nulls_last=True), "requested_at", "approval_id")[:limit]
    return sorted(rows_of(found, now), key=lambda row: row["order"])


def rows_of(requests: Iterable[Request], now: int) -> list[dict[str, Any]]:
    """Rows of these requests, with what people did to them; the same few queries however many there are."""
    found = list(requests)
    approvals = {each.pk: each for each in Approval.objects.filter(pk__in=[each.approval_id for each in found])}
    around = _around(found, approvals, now)
    return [
        request_row(request_of(each), approvals.get(each.approval_id), around[each.approval_id], now=now)
        for each in found
    ]


def _around(found: list[Request], approvals: dict[str, Approval], now: int) -> dict[str, Around]:
    ids = [each.approval_id for each in found]
    decisions, revokes, edits = latest_decisions(ids), _revokes(ids), _edits(ids, approvals)
    foreign: dict[str, list[str]] = {}
    for approval_id, step in Step.objects.filter(approval_id__in=ids, step__startswith=FOREIGN).values_list(
        "approval_id", "step"
    ):
        foreign.setdefault(approval_id, []).append(step.removeprefix(FOREIGN))
    claims = {
        each.approval_id: {"person": each.person.get_username(), "until": iso(each.until)}
        for each in Claim.objects.filter(approval_id__in=ids, until__gt=now).select_related("person")
    }
    groups = ConsumerGroup.objects.filter(agent_group__in={each.agent_group for each in found if each.agent_group})
    waiting = dict(groups.values_list("agent_group", "waiting"))
    return {
        each.approval_id: Around(
            decision=(made := decisions.get(each.approval_id)),
            revoke=revokes.get((made.approval_id, made.version, made.round)) if made else None,
            claim=claims.get(each.approval_id),
            edited_hash=edits.get((each.approval_id, each.version), ""),
            foreign=tuple(foreign.get(each.approval_id, ())),
            group_waiting=waiting.get(each.agent_group),
        )
        for each in found
    }


def _revokes(ids: list[str]) -> dict[tuple[str, int, int], Decision]:
    found = Decision.objects.filter(approval_id__in=ids, kind="revoke").defer("records")
    return {(each.approval_id, each.version, each.round): each for each in found}


def _edits(ids: list[str], approvals: dict[str, Approval]) -> dict[tuple[str, int], str]:
    """(approval, version) -> the hash of what would run after the last edit of the round in force."""
    found = Vote.objects.filter(approval_id__in=ids, verdict="edit", counts=True).order_by("at", "id")
    return {
        (vote.approval_id, vote.version): vote.args_hash
        for vote in found
        if (mine := approvals.get(vote.approval_id)) and (mine.version, mine.round) == (vote.version, vote.round)
    }


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
