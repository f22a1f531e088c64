"""What hubs watch is known to who publishes, until a hub falls silent."""

import pytest

from dashboard.live import interest
from dashboard.live.interest import STALE, Interest, announcement


class Clock:
    """A clock that goes on when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(interest.time, "monotonic", clock)
    return clock


def test_what_any_hub_watches_is_wanted(clock: Clock) -> None:
    known = Interest()
    assert not known.wanted("board")
    known.hear(announcement("a", ["board"]))
    known.hear(announcement("b", ["run:1"]))
    assert known.wanted("board")
    assert known.wanted("run:1")
    assert not known.wanted("run:2")


def test_the_last_word_of_a_hub_counts(clock: Clock) -> None:
    known = Interest()
    known.hear(announcement("a", ["run:1"]))
    known.hear(announcement("a", ["run:2"]))
    assert not known.wanted("run:1")
    assert known.wanted("run:2")


def test_a_hub_that_fell_silent_wants_nothing(clock: Clock) -> None:
    known = Interest()
    known.hear(announcement("a", ["run:1"]))
    clock.now += STALE / 2
    known.hear(announcement("b", ["run:2"]))
    assert known.wanted("run:1")
    clock.now += STALE * 0.6
    assert not known.wanted("run:1")
    assert known.wanted("run:2")
