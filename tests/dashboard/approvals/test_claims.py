"""Claims, deferrals: seen by others, locking nobody out."""

import pytest
from django.contrib.auth.models import User

from coordination.instants import moment
from dashboard import approvals
from dashboard.approvals import (
    AlreadyDecided,
    NotAllowed,
)
from dashboard.clock import database_now
from dashboard.models import Claim, Decision
from tests.dashboard.approvals.clicking import decide
from tests.dashboard.cast import SECOND, ask

pytestmark = pytest.mark.django_db


def test_a_claim_is_a_lease_others_see(ana: User, bo: User) -> None:
    ask()
    mine = approvals.claim("ask-1", ana)
    assert approvals.claim("ask-1", bo).person == ana
    Claim.objects.update(until=database_now() - 1)
    assert approvals.claim("ask-1", bo).person == bo
    assert approvals.claim("ask-1", ana, take_over=True).person == ana
    assert mine.until - mine.since == 5 * 60 * SECOND


def test_a_claim_locks_nobody_out(ana: User, bo: User) -> None:
    ask()
    approvals.claim("ask-1", ana)
    assert decide(bo).state == "granted"
    with pytest.raises(AlreadyDecided):
        approvals.claim("ask-1", ana)


def test_renewing_a_claim_is_told_once(ana: User) -> None:
    ask()
    first, second = approvals.claim("ask-1", ana), approvals.claim("ask-1", ana)
    assert (second.since, Decision.objects.filter(kind="claim").count()) == (first.since, 1)
    approvals.release("ask-1", ana)
    assert not Claim.objects.exists()


def test_a_deferred_request_stays_pending(ana: User) -> None:
    now = database_now()
    ask(expires_at=moment(now + 60 * SECOND))
    approvals.defer("ask-1", ana, now + 30 * SECOND, "after lunch")
    with pytest.raises(NotAllowed, match="expires"):
        approvals.defer("ask-1", ana, now + 90 * SECOND)
    with pytest.raises(NotAllowed, match="ahead"):
        approvals.defer("ask-1", ana, now - 1)
    assert decide(ana).state == "granted"
