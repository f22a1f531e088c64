"""Accepting a gap: once, by one person, and the shard goes on where the log can be read."""

import pytest
from django.db import IntegrityError

from dashboard import gaps
from dashboard.models import Gap, Position, Shard, Stretch

pytestmark = pytest.mark.django_db


def gap(kind: str, **more) -> Gap:
    fields = {"expected_offset": 20, "begin_offset": 30, "end_offset": 15, "message": "", "found_at": 1} | more
    return Gap.objects.create(topic="t", partition=1, shard="12-1", kind=kind, **fields)


@pytest.fixture(autouse=True)
def _rows():
    Shard.objects.create(shard="12-1", epoch=4)
    Position.objects.create(topic="t", partition=1, next_offset=20, shard="12-1", topic_id="old")
    Position.objects.create(topic="t", partition=2, next_offset=7, shard="12-2")
    for partition, first, last in ((1, 0, 9), (1, 10, 19), (2, 0, 6)):
        Stretch.objects.create(topic="t", partition=partition, first_offset=first, last_offset=last, batch_id=1)


def stretches(partition: int = 1) -> list[tuple[int, int]]:
    found = Stretch.objects.filter(topic="t", partition=partition).order_by("first_offset")
    return list(found.values_list("first_offset", "last_offset"))


def position(partition: int = 1) -> int | None:
    row = Position.objects.filter(topic="t", partition=partition).first()
    return row.next_offset if row else None


def test_it_is_accepted_once_and_says_by_whom():
    one = gap("truncated")
    assert gaps.accept(one, "ana")
    assert not gaps.accept(one, "ben")
    one.refresh_from_db()
    assert one.accepted_by == "ana"
    assert one.accepted_at is not None


def test_after_truncation_it_goes_on_at_the_beginning_and_keeps_what_it_has():
    gaps.accept(gap("truncated"), "ana")
    assert position() == 30
    assert stretches() == [(0, 9), (10, 19)]


def test_past_the_end_it_goes_on_at_the_end_and_forgets_the_places_beyond():
    gaps.accept(gap("beyond_end"), "ana")
    assert position() == 15
    assert stretches() == [(0, 9), (10, 14)]


def test_a_topic_made_anew_is_read_from_its_beginning():
    gaps.accept(gap("recreated"), "ana")
    assert position() is None
    assert stretches() == []


def test_other_partitions_are_left_alone():
    for kind in ("truncated", "beyond_end", "recreated"):
        Gap.objects.all().delete()
        gaps.accept(gap(kind), "ana")
    assert position(2) == 7
    assert stretches(2) == [(0, 6)]


def test_a_partition_has_one_open_gap_at_a_time():
    gap("truncated")
    with pytest.raises(IntegrityError):
        gap("truncated")
