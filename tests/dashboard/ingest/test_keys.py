"""Duplicates are found by key and settled by identity."""

import msgspec
import pytest

from coordination.event import Event
from dashboard.ingest import keys
from dashboard.ingest.keys import Deduplicator, Seen, event_key

FIRST = Event("e-1", "/a", "coordination.task.started", "task.started", True, 1, 1, topic="t", partition=3, offset=5)


def at(offset: int, **more) -> Event:
    return msgspec.structs.replace(FIRST, offset=offset, **more)


class Table:
    """Keys and identities in memory, as the database would keep them."""

    def __init__(self) -> None:
        self.held: dict[int, int] = {}
        self.identities: dict[tuple[str, int, int], tuple[str, str]] = {}

    def enter(self, wanted, offsets):
        fresh = [key for key in wanted if key not in self.held]
        for key, offset in zip(wanted, offsets, strict=True):
            self.held.setdefault(key, offset)
        return None if len(fresh) == len(wanted) else {key: self.held[key] for key in wanted}

    def store(self, events) -> None:
        self.identities |= {(each.topic, each.partition, each.offset): (each.source, each.id) for each in events}

    def duplicates(self, *events) -> list[Seen]:
        deduplicator = Deduplicator(self.enter, lambda *place: self.identities.get(place))
        found = deduplicator.duplicates(events, [keys.event_key(event) for event in events])
        self.store(events)
        return found


def test_keys_are_signed_64_bit_and_the_same_in_every_process():
    assert event_key(FIRST) == event_key(at(6))
    assert -(2**63) <= event_key(FIRST) < 2**63
    assert event_key(msgspec.structs.replace(FIRST, offset=0)) == -6492674530312254231


@pytest.mark.parametrize("change", [{"id": "e-2"}, {"source": "/b"}, {"topic": "u"}, {"partition": 4}])
def test_another_id_source_topic_or_partition_is_another_event(change):
    table = Table()
    assert table.duplicates(FIRST) == []
    assert table.duplicates(at(6, **change)) == []


def test_the_second_occurrence_names_the_first():
    table = Table()
    assert table.duplicates(FIRST, at(6, id="e-2")) == []
    assert table.duplicates(at(7, id="e-3"), at(8), at(9)) == [Seen(1, 5), Seen(2, 5)]


def test_occurrences_within_a_batch_leave_the_first():
    assert Table().duplicates(FIRST, at(6), at(7)) == [Seen(1, 5), Seen(2, 5)]


def test_a_collision_drops_nothing_and_later_duplicates_of_both_are_found(monkeypatch):
    original = keys.event_key
    monkeypatch.setattr(keys, "event_key", lambda event, salt=0: original(event, salt) if salt else 42)
    table = Table()
    assert table.duplicates(FIRST, at(6, id="e-2")) == []
    assert table.duplicates(at(7, id="e-3")) == []
    assert table.duplicates(at(8, id="e-2"), at(9), at(10, id="e-3")) == [Seen(0, 6), Seen(1, 5), Seen(2, 7)]


def test_a_key_whose_record_is_not_stored_any_more_drops_nothing():
    table = Table()
    table.duplicates(FIRST)
    table.identities.clear()
    assert table.duplicates(at(9)) == []
