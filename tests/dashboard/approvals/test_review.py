"""Reviews: the action as it was sent, and the version the log has."""

from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User
from django.db import transaction

from coordination.approvals import content_hash, with_args
from coordination.eventlog import StoredRecord
from dashboard.approvals import NotAllowed, UnknownApproval
from dashboard.approvals.review import locked
from dashboard.models import Decision
from tests.dashboard.approvals.clicking import decide, events
from tests.dashboard.cast import PAY, ask

pytestmark = pytest.mark.django_db
# A field that has no name in the catalogue, and an empty one that is left out when it is folded.
WHOLE = PAY | {"currency": "EUR", "target": ""}


def stored(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    record = StoredRecord("t", 0, 0, 0, 1, b"k", msgspec.json.encode(value), ())
    monkeypatch.setattr("dashboard.approvals.review.record_at", lambda *_: record)


@pytest.mark.parametrize("structured", [False, True])
def test_what_runs_is_what_was_sent_fields_without_a_name_included(
    ana: User, monkeypatch: pytest.MonkeyPatch, structured: bool
) -> None:
    ask(action=WHOLE)
    stored(monkeypatch, {"specversion": "1.0", "data": {"action": WHOLE}} if structured else {"action": WHOLE})
    args = {"amount": "1"}
    decide(ana, "edit", args=args, content_hash=content_hash(WHOLE))
    assert events(Decision.objects.get())[-1].data.content_hash == content_hash(with_args(WHOLE, args))


@pytest.mark.parametrize("value", [{"action": PAY}, {}, []])
def test_what_does_not_have_its_hash_cannot_be_agreed_to_but_rejected(
    ana: User, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    ask(action=WHOLE)
    stored(monkeypatch, value)
    with pytest.raises(NotAllowed, match="does not have the hash"):
        decide(ana, content_hash=content_hash(WHOLE))
    assert decide(ana, "reject", content_hash=content_hash(WHOLE)).state == "denied"


def test_a_request_the_log_only_mentions_is_unknown() -> None:
    with pytest.raises(UnknownApproval), transaction.atomic():
        locked("never-asked")
