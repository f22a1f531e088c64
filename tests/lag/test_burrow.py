"""Burrow's rules as their description states them, and what they say of two healthy agents that think."""

import pytest

from coordination.eventlog import TopicPartition
from tests.lag.burrow import Burrow, Commit, judge

AT = TopicPartition("t", 0)


@pytest.mark.parametrize(
    ("commits", "ends", "now", "word"),
    [
        ([(10, 0, 5)], [10], 99, "OK"),
        ([(1, 0, 9), (2, 10, 8)], [9, 10], 15, "OK"),
        ([(1, 0, 9), (2, 10, 8)], [10, 10], 21, "STOP"),
        ([(1, 0, 9), (2, 10, 8)], [2, 10], 21, "OK"),
        ([(5, 0, 5), (3, 10, 7)], [10], 12, "REWIND"),
        ([(5, 0, 5), (3, 4, 7), (6, 10, 4)], [10], 12, "OK"),
        ([(5, 0, 5), (5, 10, 6)], [11], 12, "STALL"),
        ([(5, 0, 0), (5, 10, 6)], [11], 12, "OK"),
        ([(5, 0, 5), (6, 10, 5)], [11], 12, "WARN"),
    ],
)
def test_the_rules(commits: list[tuple[int, float, int]], ends: list[int], now: float, word: str) -> None:
    assert judge([Commit(*one) for one in commits], ends, now) == word


def told(durations: list[int]) -> list[str]:
    """Its status each second of one agent that works off such tasks (s), all there from the beginning."""
    burrow, ended, found = Burrow(), 0, []
    ends_at = [sum(durations[: number + 1]) for number in range(len(durations))]
    for second in range(ends_at[-1]):
        if second % 10 == 0:
            burrow.end(AT, len(durations))
        while ends_at[ended] <= second:
            ended += 1
            burrow.commit("g", AT, ended, ends_at[ended - 1])
        found.append(burrow.status("g", second))
    return found


def test_twenty_tasks_of_three_minutes_are_called_stopped_for_the_three_after_the_first() -> None:
    words = told([180] * 20)
    assert words[180:361].count("STOP") >= 178
    assert "STOP" not in words[400:]


def test_a_task_of_five_minutes_after_quick_ones_is_called_stopped() -> None:
    words = told([*[2] * 12, 300, 2, 2, 2, 2, 2])
    assert words.count("STOP") > 270
