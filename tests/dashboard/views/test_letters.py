"""The page of dead letters."""

import pytest

from tests.dashboard.scenes import dead_letter, member, rejected, signed_in, viewer
from tests.dashboard.views.test_board import first

pytestmark = pytest.mark.django_db


def test_both_kinds_are_shown_and_counted() -> None:
    dead_letter(1)
    rejected(2)
    page = viewer().get("/dead-letters/").content
    assert len(first(page, "first-letters")["items"]) == 2
    assert b"Nothing was lost" in page  # the words for an empty list wait in the page


def test_a_filter_that_is_not_understood_is_told() -> None:
    assert b"state:tired is not known" in viewer().get("/dead-letters/?query=state:tired").content


def test_letters_need_their_right() -> None:
    assert signed_in(member("eve", "view_run")).get("/dead-letters/").status_code == 403


def test_what_a_filter_finds_is_to_be_had_as_a_file() -> None:
    page = viewer().get("/dead-letters/?query=kind:rejected").content.decode()
    assert "/api/v1/rejected?query=kind%3Arejected&amp;format=csv" in page
