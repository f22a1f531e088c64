"""Decisions on the log that this dashboard did not send (approvals.md, rule 15).

Only the relay may write where decisions stand. A fact or a command there that no row of the outbox accounts for, by
its id and, once the row is published, by its very position, was written by somebody else: a forger, or another
dashboard on the same topics. Agents refuse what is not signed; people are told: one audit entry and one mark for
each such record, which the page shows as a red banner. The approval itself stays as it is.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery

from coordination.requests import Request as RequestRow
from dashboard.api.queue import FOREIGN
from dashboard.approvals.announcement import announce
from dashboard.approvals.review import Review, change, locked
from dashboard.audit import enter
from dashboard.models import Approval, Decision, Request, Step
from dashboard.sweep.timers import AUTHOR, take_once

MARK: Final = FOREIGN
PAGE: Final = 200
_REQUEST: Final = msgspec.json.Decoder(RequestRow)
Place = tuple[str, int, int]


class Stranger(msgspec.Struct, frozen=True):
    """A record somebody else wrote: what it claims to be, and where it stands."""

    what: str
    decision_id: str
    place: Place

    @property
    def step(self) -> str:
        """The name of its mark."""
        topic, partition, offset = self.place
        return f"{MARK}{topic}/{partition}/{offset}"


def look_at_pending() -> int:
    """Mark what is foreign about requests that have ended on the log while they are pending here."""
    told = Request.objects.filter(approval_id=OuterRef("approval_id"), version=OuterRef("version"))
    pending = Approval.objects.filter(state=Approval.State.PENDING).annotate(told=Subquery(told.values("state")[:1]))
    ids = list(pending.exclude(told="pending").exclude(told=None).values_list("approval_id", flat=True)[:PAGE])
    return sum(mark(row) for row in Request.objects.filter(approval_id__in=ids))


class Watch:
    """Looks at all requests that we have had in hand, one page a call. What an import tells of other systems'
    decisions is no concern of ours."""

    def __init__(self) -> None:
        self._after = ""

    def look(self) -> int:
        """Mark what is foreign and not marked yet on the next page; returns how many records."""
        ours = Exists(Approval.objects.filter(approval_id=OuterRef("approval_id")))
        page = list(Request.objects.filter(ours, approval_id__gt=self._after).order_by("approval_id")[:PAGE])
        self._after = page[-1].approval_id if page else ""
        return sum(mark(row) for row in page)


def mark(row: Request) -> int:
    """Mark the foreign records of one request, each once."""
    found = [each for each in strangers(_REQUEST.decode(row.body)) if not _is_marked(row.approval_id, each)]
    if not found:
        return 0
    with transaction.atomic():
        review = locked(row.approval_id)
        marked = sum(_mark(review, each) for each in found)
        if marked:
            change(review.approval)
            announce(row.approval_id)
        return marked


def _mark(review: Review, stranger: Stranger) -> bool:
    if not take_once(review, stranger.step):
        return False
    topic, partition, offset = stranger.place
    detail = {"what": stranger.what, "decision_id": stranger.decision_id}
    place = {"topic": topic, "partition": partition, "offset": offset}
    enter(AUTHOR, "decision.foreign", f"approval/{review.approval.approval_id}", detail | place)
    return True


def _is_marked(approval_id: str, stranger: Stranger) -> bool:
    return Step.objects.filter(approval_id=approval_id, step=stranger.step).exists()


def strangers(request: RequestRow) -> list[Stranger]:
    """The records about a request that no row of our outbox accounts for."""
    rows = Decision.objects.filter(approval_id=request.approval_id).defer("records")
    ours = {row.decision_id: row for row in rows}
    places: set[Place] = {(place[0], place[1], place[2]) for row in rows for place in row.positions}
    return [each for each in _said(request) if not _is_ours(each, ours, places)]


def _said(request: RequestRow) -> Iterator[Stranger]:
    for outcome in request.outcomes.values():
        yield Stranger(f"approval.{outcome.state}", outcome.decision_id or outcome.event_id, outcome.mark)
    for sent in request.sent:
        yield Stranger("task.resume.requested", sent.decision_id, (sent.topic, sent.partition, sent.offset))
    for odd in request.anomalies:
        if odd.name == "decided_again":
            yield Stranger(odd.event, "", (odd.topic, odd.partition, odd.offset))


def _is_ours(said: Stranger, ours: dict[str, Decision], places: set[Place]) -> bool:
    if said.place in places:
        return True
    row = ours.get(said.decision_id)
    if row is None or row.positions:
        return False
    # The relay may just have been stopped before it could mark the row, or could not find out what became of it.
    return row.state == Decision.State.SAVED or bool(row.tried_from)
