"""Cursors come back as they were made, and anything else is refused."""

import pytest
from django.contrib.auth.models import Group

from dashboard.api import paging
from dashboard.api.paging import MOST, PAGE, cursor, page, position, size
from dashboard.api.problems import Problem


def test_a_cursor_gives_back_its_key() -> None:
    assert position(cursor(1790000000000000, "run/ä"), int, str) == [1790000000000000, "run/ä"]


def test_no_cursor_is_the_first_page() -> None:
    assert position(None, int) is None
    assert position("", int) is None


FORGED = ((1,), ("x", 1), (1, {}), (True, "x"), (2**70, "x"), (1, "a\0b"), (None, "x"), (1.5, "x"), (1, "x", 2))


@pytest.mark.parametrize("text", ["%%%", "bm90IGpzb24", "e30", *(cursor(*key) for key in FORGED)])
def test_a_strange_cursor_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        position(text, int, str)
    assert (refused.value.status, refused.value.code) == (400, "bad_cursor")


def test_sizes_are_bounded() -> None:
    assert [size(each) for each in (None, 0, -5, 7, 10_000)] == [PAGE, 1, 1, 7, MOST]


def test_a_page_that_is_not_full_has_no_next() -> None:
    assert page([{"id": 1}], 2, "x") == {"items": [{"id": 1}], "next": None}
    assert page([{"id": 1}, {"id": 2}, {"id": 3}], 2, "x") == {"items": [{"id": 1}, {"id": 2}], "next": "x"}


@pytest.mark.django_db
def test_counting_stops_where_nobody_wants_to_know_any_more(monkeypatch) -> None:
    monkeypatch.setattr(paging, "COUNTED", 2)
    Group.objects.bulk_create([Group(name=name) for name in "abc"])
    assert paging.counted(Group.objects.filter(name="a").order_by("name")) == 1
    assert paging.counted(Group.objects.filter(name__in=list("abc"))) == 2
