"""What tests of the sweeper say again and again."""

from typing import Any

from django.contrib.auth.models import User

from coordination.instants import moment
from dashboard import approvals, outbox
from dashboard.clock import database_now
from dashboard.models import Approval, Decision
from dashboard.sweep.adoption import adopt_new
from tests.dashboard.cast import SECOND, ask
from tests.dashboard.relaying import HASH


def approve(user: User, **given: Any) -> approvals.Receipt:
    shown: dict[str, Any] = {"approval_id": "ask-1", "request_version": 1, "content_hash": HASH}
    return approvals.decide(user=user, decision="approve", **(shown | given))


def the_approval() -> Approval:
    return Approval.objects.get(approval_id="ask-1")


def names(row: Decision) -> list[str]:
    return [
        value.decode().removeprefix("coordination.")
        for record in outbox.unpack(row.records)
        for name, value in record.headers
        if name == "ce_type"
    ]


def asked_ago(seconds: float, *, due: float | None = None, expires: float | None = None, **given: Any) -> None:
    """A request asked so many seconds ago, due and expiring so many seconds from now."""
    now = database_now()
    times = {"due_at": due, "expires_at": expires}
    given |= {name: moment(now + int(at * SECOND)) for name, at in times.items() if at is not None}
    ask(at=now - int(seconds * SECOND), **given)
    adopt_new()


def published(row_id: str) -> None:
    Decision.objects.filter(pk=row_id).update(state="published", published_at=database_now())


def asked_in(seconds: float) -> None:
    ask(expires_at=moment(database_now() + int(seconds * SECOND)))
