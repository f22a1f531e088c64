"""Rejected and dead-lettered records in one list, newest first, every one once."""

import pytest

from dashboard.api.letterlist import letter_figures, letter_page
from dashboard.api.problems import Problem
from tests.dashboard.scenes import NOW, dead_letter, rejected

pytestmark = pytest.mark.django_db


def test_both_kinds_are_merged_newest_first_and_paged_without_loss() -> None:
    for number in range(1, 4):
        dead_letter(number, at=NOW + 2 * number)
        rejected(number, at=NOW + 2 * number + 1)
    dead_letter(9, at=NOW + 3)
    seen, cursor = [], None
    while True:
        page = letter_page("", cursor, 2, NOW)
        seen += [(row["sort"], row["offset"]) for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7
    assert seen[:2] == [("rejected", 3), ("dead", 3)]
    assert seen[-1] == ("dead", 1)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind:dead", {("dead", 1), ("dead", 2)}),
        ("kind:rejected", {("rejected", 3)}),
        ("state:open", {("dead", 1)}),
        ("agent:coder", {("dead", 2)}),
        ("task:task-1", {("dead", 1), ("dead", 2)}),
        ("topic:coord.run.task.events", {("rejected", 3)}),
        ("410", {("dead", 1), ("dead", 2)}),
    ],
)
def test_a_query_filters(query: str, expected: set[tuple[str, int]]) -> None:
    dead_letter(1)
    dead_letter(2, agent_group="coder", state="redriven")
    rejected(3)
    assert {(row["sort"], row["offset"]) for row in letter_page(query, None, 10, NOW)["items"]} == expected


def test_a_word_that_is_not_understood_is_refused() -> None:
    with pytest.raises(Problem):
        letter_page("state:tired", None, 10, NOW)


def test_a_dead_letter_names_where_it_came_from() -> None:
    dead_letter(7)
    row = letter_page("", None, 1, NOW)["items"][0]
    assert row["position"] == "dlq.coord.run-0@7"
    assert row["origin"] == "task.commands-4@100"
    assert row["task_url"] == "/runs/run-1/tasks/task-1/"
    assert row["reason"] == "HTTPError: 410 gone"


def test_figures_count_each_state() -> None:
    dead_letter(1)
    dead_letter(2, state="discarded")
    rejected(3)
    assert letter_figures() == {"open": 1, "redriven": 0, "discarded": 1, "rejected": 1}
