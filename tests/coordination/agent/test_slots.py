"""Slots: so many at a time, in order, and what goes on does not wait."""

from coordination.agent.slots import Slots
from coordination.agent.work import Work


def works(count: int) -> list[Work]:
    return [object.__new__(Work) for _ in range(count)]


def test_no_more_than_the_limit_begin_and_the_others_follow_in_order() -> None:
    started: list[Work] = []
    slots, all_ = Slots(2, started.append), works(4)
    for work in all_:
        slots.enqueue(work)
    assert (started, len(slots)) == (all_[:2], 2)
    slots.free()
    slots.free()
    assert started == all_


def test_what_goes_on_begins_though_all_slots_are_taken() -> None:
    started: list[Work] = []
    slots, (new, waiting, resumed) = Slots(1, started.append), works(3)
    slots.enqueue(new)
    slots.enqueue(waiting)
    slots.go_on(resumed)
    assert started == [new, resumed]
    slots.free()
    assert started == [new, resumed]
    slots.free()
    assert started == [new, resumed, waiting]


def test_what_is_removed_never_begins() -> None:
    started: list[Work] = []
    slots, (first, second) = Slots(1, started.append), works(2)
    slots.enqueue(first)
    slots.enqueue(second)
    assert slots.remove(second)
    assert not slots.remove(second)
    slots.free()
    assert started == [first]


def test_closed_slots_begin_nothing_and_hand_back_what_waited() -> None:
    started: list[Work] = []
    slots, (first, second, third) = Slots(1, started.append), works(3)
    slots.enqueue(first)
    slots.enqueue(second)
    assert slots.close() == [second]
    slots.free()
    slots.enqueue(third)
    slots.go_on(third)
    assert started == [first]


def test_whoever_waits_for_room_is_told_when_a_slot_is_free() -> None:
    told: list[int] = []
    slots = Slots(1, lambda work: None)
    slots.freed = lambda: told.append(slots.taken)
    slots.enqueue(works(1)[0])
    slots.free()
    assert told == [0]
