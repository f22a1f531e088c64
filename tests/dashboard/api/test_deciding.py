"""What a refusal becomes: a problem with a status, or a missing right."""

import pytest
from django.core.exceptions import PermissionDenied

from dashboard.api.deciding import told
from dashboard.api.problems import Problem
from dashboard.approvals.errors import (
    AlreadyDecided,
    Expired,
    InvalidDecision,
    KeyReused,
    NotAllowed,
    NotDecided,
    RequestChanged,
    UnknownApproval,
)


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (AlreadyDecided("ana", 1, "reject", "no"), 409, "already_decided"),
        (Expired(1, 2), 409, "expired"),
        (RequestChanged(1, 2, {}), 422, "request_changed"),
        (UnknownApproval("x"), 404, "unknown_approval"),
        (InvalidDecision("no"), 422, "invalid_decision"),
        (KeyReused(), 422, "key_reused"),
    ],
)
def test_every_refusal_has_its_status(refusal: NotDecided, status: int, code: str) -> None:
    def act() -> None:
        raise refusal

    with pytest.raises(Problem) as answered:
        told(act)
    assert (answered.value.status, answered.value.code) == (status, code)


def test_a_missing_right_says_which() -> None:
    def act() -> None:
        raise NotAllowed("you edited the arguments")

    with pytest.raises(PermissionDenied, match="you edited the arguments"):
        told(act)


def test_the_loser_is_told_who_won_and_that_the_comment_is_kept() -> None:
    def act() -> None:
        raise AlreadyDecided("ana", 1, "reject", "too much", clicked_at=2_000_001, noted=True)

    with pytest.raises(Problem, match=r"^Rejected by ana 2 s before you: too much\. Your comment is kept as a note\.$"):
        told(act)


def test_who_was_slower_than_the_timer_is_told_both_instants() -> None:
    def act() -> None:
        raise Expired(1_790_000_000_412_000, 1_790_000_000_530_000)

    with pytest.raises(Problem, match=r"^Expired \S+20\.412Z, your click came at \S+20\.530Z\.$"):
        told(act)


def test_what_an_act_returns_comes_through() -> None:
    assert told(lambda: 7) == 7
