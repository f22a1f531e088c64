"""Announcements: whole rows, to whoever watches, after the commit and never without it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from dashboard.approvals import announcement
from tests.dashboard.approvals.clicking import decide
from tests.dashboard.cast import RUN, ask

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[dict[str, Any]]]]:
    told: list[tuple[str, list[dict[str, Any]]]] = []
    monkeypatch.setattr(announcement, "publish", lambda about, rows, gone=(): told.append((about, list(rows))))
    monkeypatch.setattr(announcement, "wanted", lambda about: True)
    return told


def test_a_decision_is_told_to_the_queue_and_to_the_page_of_its_run(ana: User, heard: list[Any]) -> None:
    ask()
    decide(ana)
    assert [about for about, _ in heard] == ["approvals", f"run:{RUN}"]
    row = heard[0][1][0]
    assert (row["kind"], row["id"], row["state"], row["open"]) == ("approval", "ask-1", "granted", False)
    assert row["receipt"]["published"] is None


def test_what_is_rolled_back_is_told_to_nobody(ana: User, heard: list[Any]) -> None:
    ask()

    def act() -> None:
        with transaction.atomic():
            announcement.announce("ask-1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    assert heard == []


def test_nobody_watches_so_nothing_is_made(ana: User, heard: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcement, "wanted", lambda about: False)
    ask()
    decide(ana)
    assert heard == []


def test_each_change_has_a_higher_revision(ana: User, heard: list[Any]) -> None:
    ask(policy={"rule": "quorum", "quorum": 2})
    decide(ana)
    announcement.tell(["ask-1"])
    decide(User.objects.create_superuser("root"))
    revisions = [rows[0]["revision"] for about, rows in heard if about == "approvals"]
    assert revisions[0] == revisions[1] < revisions[2]
