"""Rules of identifiers."""

from uuid import UUID

import pytest

from coordination.ids import imported_id, new_id, sequence
from tests.coordination.wire import NOON


def test_a_new_id_is_a_uuid7_of_its_time_and_never_the_same_twice() -> None:
    ids = [UUID(new_id(NOON)) for _ in range(1000)]
    assert {one.version for one in ids} == {7}
    assert {one.int >> 80 for one in ids} == {NOON // 1000}
    assert len(set(ids)) == 1000


def test_ids_of_later_events_sort_later() -> None:
    assert new_id(NOON) < new_id(NOON + 1000) < new_id(NOON + 10**9)


def test_an_imported_id_is_the_same_at_every_import_and_differs_in_each_part() -> None:
    one = imported_id("temporal", "run", "5", "started")
    assert one == imported_id("temporal", "run", "5", "started")
    assert UUID(one).version == 5
    others = {
        imported_id("wfcommons", "run", "5", "started"),
        imported_id("temporal", "run2", "5", "started"),
        imported_id("temporal", "run", "6", "started"),
        imported_id("temporal", "run", "5", "completed"),
        imported_id("temporal", "run", "5s", "tarted"),
    }
    assert len(others | {one}) == 6


def test_a_sequence_sorts_as_text_as_it_does_as_a_number() -> None:
    assert sequence(7) == "0000000000000000007"
    assert sequence(9) < sequence(10) < sequence(10**19 - 1)
    for bad in (-1, 10**19):
        with pytest.raises(ValueError, match="digits"):
            sequence(bad)
