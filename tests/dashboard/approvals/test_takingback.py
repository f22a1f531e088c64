"""Taking back: undo is certain, revoking asks."""

import msgspec
import pytest
from django.contrib.auth.models import User

from coordination.instants import moment
from coordination.signing import Keyring
from dashboard import approvals, outbox
from dashboard.approvals import (
    NotAllowed,
)
from dashboard.clock import database_now
from dashboard.decisionkey import decision_keyring
from dashboard.models import Approval, Decision
from tests.dashboard.approvals.clicking import decide, events, published, told
from tests.dashboard.cast import SECOND, ask, say

pytestmark = pytest.mark.django_db


def test_an_undo_reopens_the_request_and_sends_nothing(ana: User, bo: User) -> None:
    ask()
    first = decide(ana)
    assert approvals.undo(first.decision_id, ana).state == "pending"
    assert Decision.objects.get(pk=first.decision_id).state == "undone"
    second = decide(bo, "reject")
    assert (second.state, second.round) == ("denied", 2)
    assert second.decision_id != first.decision_id


def test_an_undo_voids_all_votes_of_its_round(ana: User, bo: User) -> None:
    ask(policy={"rule": "quorum", "quorum": 2})
    decide(ana)
    approvals.undo(decide(bo).decision_id, bo)
    assert decide(bo).text == "1 of 2. Needs one more."


@pytest.mark.parametrize("reason", ["another person", "window passed", "tried"])
def test_what_is_not_held_or_not_ones_own_cannot_be_undone(ana: User, bo: User, reason: str) -> None:
    ask()
    row_id = decide(ana).decision_id
    if reason == "window passed":
        Decision.objects.update(held_until=database_now() - 1)
    if reason == "tried":
        Decision.objects.update(tried_at=database_now())
    with pytest.raises(NotAllowed):
        approvals.undo(row_id, bo if reason == "another person" else ana)
    assert Approval.objects.get().state == "granted"


def test_a_published_decision_is_revoked_by_asking_the_agent(ana: User, bo: User) -> None:
    ask()
    row_id = decide(ana).decision_id
    with pytest.raises(NotAllowed, match="not sent"):
        approvals.revoke(row_id, bo)
    published(row_id)
    for _ in range(2):
        assert approvals.revoke(row_id, bo, "wrong account").revocation == "asked"
    row = Decision.objects.get(kind="revoke")
    (event,) = events(row)
    assert (event.name, event.data.decision_id, event.data.reason) == (
        "decision.revoke.requested",
        row_id,
        "wrong account",
    )
    Keyring.from_file(decision_keyring()).verify(msgspec.json.decode(outbox.unpack(row.records)[0].value or b""))
    say("decision.revoked", {"decision_id": row_id, "approval_id": "ask-1"})
    assert told().revocation == "revoked"


def test_an_applied_decision_cannot_be_revoked(ana: User) -> None:
    ask()
    row_id = decide(ana).decision_id
    published(row_id)
    say("decision.applied", {"decision_id": row_id, "approval_id": "ask-1"})
    with pytest.raises(NotAllowed, match="Already executed"):
        approvals.revoke(row_id, ana)


@pytest.mark.parametrize(("left", "window"), [(60, 5), (8, 2), (1, 0.25)])
def test_holding_a_decision_never_makes_it_late(ana: User, left: float, window: float) -> None:
    ask(expires_at=moment(database_now() + int(left * SECOND)))
    saved = decide(ana)
    assert saved.saved_at is not None
    assert saved.held_until is not None
    assert saved.held_until - saved.saved_at == pytest.approx(window * SECOND, rel=0.25)
