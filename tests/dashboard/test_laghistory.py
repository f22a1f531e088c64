"""What the poll remembers: up to when the log was read, and how many waited at which instant."""

from coordination.eventlog import TopicPartition
from dashboard.laghistory import REMEMBERED, SECOND, Frontier, GroupMemory

A, B, NEVER = TopicPartition("t", 0), TopicPartition("t", 1), TopicPartition("t", 2)


def test_the_log_is_read_until_the_last_poll_whose_ends_were_all_reached() -> None:
    frontier = Frontier()
    assert frontier.push({A: 5, B: 5}, {A: 5, B: 5}, 10) == 10
    assert frontier.push({A: 6, B: 6}, {A: 6, B: 5}, 20) == 10
    assert frontier.push({A: 7, B: 7}, {A: 9, B: 6}, 30) == 20
    assert frontier.push({A: 8, B: 7}, {A: 9, B: 7}, 40) == 40


def test_what_is_not_read_at_all_is_not_waited_for() -> None:
    assert Frontier().push({A: 5, NEVER: 5}, {A: 5}, 10) == 10


def test_nothing_is_known_before_the_first_ends_were_reached() -> None:
    frontier = Frontier()
    assert frontier.push({A: 5}, {A: 4}, 10) == 10 - REMEMBERED
    assert frontier.push({A: 9}, {A: 5}, 20) == 10


def test_a_long_way_behind_costs_no_more_and_less_exact() -> None:
    frontier = Frontier()
    for at in range(2_000):
        frontier.push({A: at + 1}, {A: 0}, at)
    assert len(frontier._ends) <= 201
    assert 0 <= frontier.push({A: 9_999}, {A: 1_000}, 2_000) <= 999


def test_counts_are_remembered_as_of_what_was_read_and_once_a_step() -> None:
    memory = GroupMemory(step=10 * SECOND)
    for second in range(0, 25, 5):
        memory.note(second * SECOND, second, 0, read_until=second * SECOND)
    memory.note(30 * SECOND, 99, 0, read_until=20 * SECOND)
    assert memory.waits == [(0, 0), (10 * SECOND, 10), (20 * SECOND, 20)]
