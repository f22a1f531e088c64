"""The query line of dead letters: one line, two tables."""

import pytest

from coordination.subjects import LETTERS
from dashboard.api.letterfilter import DEAD, REJECTED
from dashboard.api.letterlist import letter_page
from dashboard.api.problems import Problem
from tests.dashboard.scenes import MINUTE, NOW, dead_letter, position, rejected

pytestmark = pytest.mark.django_db


def test_every_key_has_a_meaning() -> None:
    assert set(DEAD) == set(LETTERS.fields) | {""}
    assert set(REJECTED) < set(DEAD)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {"d1", "d2", "r1"}),
        ("kind:dead", {"d1", "d2"}),
        ("-kind:dead", {"r1"}),
        ("kind:rejected,dead", {"d1", "d2", "r1"}),
        ("state:open", {"d1"}),
        ("state:kept", {"r1"}),
        ("agent:payer", {"d2"}),
        ("-agent:payer", {"d1", "r1"}),
        ("run:run-1 task:task-*", {"d1", "d2"}),
        ("topic:task.events", {"r1"}),
        ("topic:coord.run.task.*", {"d1", "d2", "r1"}),
        ("offset:4@100", {"d1"}),
        ("offset:7@1", {"r1"}),
        ("caused-by:task-2", {"d2"}),
        ("error:gone", {"d1", "d2"}),
        ("error:RFC", {"r1"}),
        ("gone -payment", {"d1", "d2"}),
        ("stage:envelope", {"r1"}),
        ("tries>5", {"d2"}),
        ("age>10m", {"d2"}),
        ("age<10m", {"d1", "r1"}),
    ],
)
def test_a_line_filters(line: str, expected: set[str]) -> None:
    position("coord.run.task.events", 7)
    position("coord.run.task.commands", 4)
    late = {"agent_group": "payer", "task_id": "task-2", "deliveries": 9, "at": NOW - 20 * MINUTE, "state": "redriven"}
    names = {
        f"d{dead_letter(1).pk}": "d1",
        f"d{dead_letter(2, origin_offset=7, **late).pk}": "d2",
        f"r{rejected(1).pk}": "r1",
    }
    assert {names[row["id"]] for row in letter_page(line, None, 50, NOW + MINUTE)["items"]} == expected


def test_what_is_not_understood_is_pointed_at() -> None:
    with pytest.raises(Problem) as refused:
        letter_page("gone colour:red", None, 50, NOW)
    assert refused.value.members == {"at": 5, "end": 11}
