"""What people had decided of a run at an instant: votes, decisions with how far they had come, steps of timers.

No event of the run tells a vote, and a decision is kept as it stands now, with the instant of each stop: what came
later is taken from it. When a decision was undone or found undeliverable is not kept; it counts from the end of the
time in which it could be.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import models

from dashboard.models import Approval, Decision, Step, Vote

State = Decision.State
Row = dict[str, Any]
_COLUMNS: Final = tuple(field.attname for field in Decision._meta.fields if field.name != "records")


def approvals(run_id: str, at: int | None) -> Iterator[Approval]:
    """The approvals of a run as they stood; a decision counts from when it was taken."""
    for row in Approval.objects.filter(run_id=run_id):
        if at is not None:
            _as_of(row, at)
        yield row


def _as_of(row: Approval, at: int) -> None:
    if row.decided_at is not None and row.decided_at > at:
        row.state, row.decided_at, row.decided_by = Approval.State.PENDING, None, ""
    if row.escalated_at is not None and row.escalated_at > at:
        row.escalated_at, row.escalated_to = None, ""
    if row.first_viewed_at is not None and row.first_viewed_at > at:
        row.first_viewed_at = None


def decisions(run_id: str, at: int | None) -> Iterator[Decision]:
    """What had been saved by then, without the bytes that are sent."""
    found = Decision.objects.filter(run_id=run_id, **_until("saved_at", at))
    for row in found.values(*_COLUMNS):
        yield Decision(**(row if at is None else _undone(row, at)), records=b"")


def _undone(row: Row, at: int) -> Row:
    """A decision without the stops that came later."""
    for stop in ("applied_at", "refused_at", "published_at"):
        if row[stop] is not None and row[stop] > at:
            row |= {stop: None, **_WITH[stop]}
    if row["state"] in _NEVER_SENT:
        known = row[_NEVER_SENT[row["state"]]]
        if known is not None and known > at:
            row |= {"state": State.SAVED, "error": ""}
    elif row["applied_at"] is None and row["refused_at"] is None:
        row["state"] = State.SAVED if row["published_at"] is None else State.PUBLISHED
    return row


# What is known with a stop, and the column that tells when a decision was given up.
_WITH: Final[dict[str, Row]] = {
    "applied_at": {},
    "refused_at": {"refused_reason": ""},
    "published_at": {"positions": [], "error": ""},
}
_NEVER_SENT: Final[dict[str, str]] = {
    State.LATE: "valid_until",
    State.UNDONE: "held_until",
    State.UNDELIVERABLE: "tried_at",
}


def votes(approval_ids: Sequence[str], at: int | None) -> Iterable[Vote]:
    """The votes that were in."""
    return Vote.objects.filter(approval_id__in=approval_ids, **_until("at", at))


def steps(approval_ids: Sequence[str], at: int | None) -> Iterable[Step]:
    """The steps that timers had taken, and the marks of records that somebody else wrote."""
    return Step.objects.filter(approval_id__in=approval_ids, **_until("at", at))


def persons(rows: Iterable[models.Model]) -> list[User]:
    """Who stands in these rows, by name alone: rights are asked where they are kept."""
    ids = {pk for row in rows if (pk := getattr(row, "person_id", None)) is not None}
    return [User(pk=pk, username=name) for pk, name in User.objects.filter(pk__in=ids).values_list("pk", "username")]


def _until(column: str, at: int | None) -> dict[str, int]:
    return {} if at is None else {f"{column}__lte": at}
