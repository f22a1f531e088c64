"""The call about records that went wrong."""

import pytest

from tests.dashboard.scenes import dead_letter, member, rejected, signed_in

pytestmark = pytest.mark.django_db


def test_both_kinds_are_listed_without_their_payload() -> None:
    dead_letter(1, record=b"secret")
    rejected(2, record=b"secret")
    answer = signed_in(member("eve", "view_deadletter")).get("/api/v1/rejected")
    assert [row["sort"] for row in answer.json()["items"]] == ["rejected", "dead"]
    assert b"secret" not in answer.content


def test_letters_need_their_right() -> None:
    assert signed_in(member("eve", "view_run")).get("/api/v1/rejected").status_code == 403
