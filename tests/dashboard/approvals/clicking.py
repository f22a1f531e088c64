"""What tests of approvals say again and again: decide on ask-1, and look at what is in the outbox."""

from typing import Any

from django.contrib.auth.models import User

from coordination.approvals import content_hash
from coordination.envelope import Decoder
from coordination.event import Event
from coordination.eventlog import NewRecord, StoredRecord
from dashboard import approvals, outbox
from dashboard.approvals import (
    Receipt,
)
from dashboard.clock import database_now
from dashboard.models import Decision
from tests.dashboard.cast import PAY

HASH = content_hash(PAY)


def decide(user: User, decision: str = "approve", **given: Any) -> Receipt:
    shown: dict[str, Any] = {"approval_id": "ask-1", "request_version": 1, "content_hash": HASH}
    return approvals.decide(user=user, decision=decision, **(shown | given))


def events(row: Decision) -> list[Event]:
    return [event_of(record) for record in outbox.unpack(row.records)]


def event_of(record: NewRecord) -> Event:
    stored = StoredRecord(record.topic, record.partition or 0, 0, 0, 0, record.key, record.value, record.headers)
    return Decoder().decode(stored)


def the_decision() -> Decision:
    return Decision.objects.get(kind="decision")


def published(decision: str) -> None:
    Decision.objects.filter(pk=decision).update(state="published", published_at=database_now())


def told() -> Receipt:
    found = approvals.receipt_of("ask-1")
    assert found is not None
    return found
