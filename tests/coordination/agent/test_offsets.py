"""Positions: all before is done, whatever the order in which things end."""

from hypothesis import given
from hypothesis import strategies as st

from coordination.agent.offsets import Offsets


def test_the_position_waits_for_the_lowest_open_offset() -> None:
    offsets = Offsets(10)
    for offset in (10, 11, 14):
        offsets.receive(offset)
    offsets.finish(11)
    assert offsets.position == 10
    offsets.finish(10)
    assert offsets.position == 14
    offsets.finish(14)
    assert (offsets.position, offsets.unfinished) == (15, 0)


def test_nothing_polled_leaves_the_committed_position() -> None:
    assert Offsets(7).position == 7


def test_what_is_reopened_holds_the_position_again() -> None:
    offsets = Offsets(0)
    offsets.receive(0)
    offsets.receive(1)
    offsets.finish(0)
    offsets.reopen(0)
    assert offsets.position == 0


def test_a_position_that_was_set_back_is_followed() -> None:
    offsets = Offsets(1_000)
    offsets.receive(0)
    offsets.finish(0)
    assert offsets.position == 1


def test_finishing_what_was_never_polled_changes_nothing() -> None:
    offsets = Offsets(3)
    offsets.finish(99)
    assert offsets.position == 3


GAPS = st.lists(st.integers(1, 3), max_size=30)


@given(GAPS.flatmap(lambda gaps: st.tuples(st.just(gaps), st.permutations(range(len(gaps))))))
def test_every_order_of_ends_gives_a_position_below_which_all_is_done(drawn: tuple[list[int], list[int]]) -> None:
    gaps, order = drawn
    polled = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    offsets = Offsets(0)
    for offset in polled:
        offsets.receive(offset)
    open_ = set(polled)
    for index in order:
        offsets.finish(polled[index])
        open_.discard(polled[index])
        assert offsets.position == (min(open_) if open_ else polled[-1] + 1)
