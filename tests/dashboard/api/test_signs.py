"""Signs: a state has one glyph and word, and a bar hides no failure."""

import pytest

from coordination.tasks import OPEN, TERMINAL
from dashboard.api.signs import (
    DEAD,
    ORDER,
    TASK,
    UNKNOWN,
    VERDICT_ORDER,
    bar,
    sign_of_state,
    verdict_chip,
    verdict_rank,
    worst,
)


def test_every_task_state_has_a_sign_of_the_bar() -> None:
    states = (OPEN | TERMINAL) - {""}
    assert states == TASK.keys()
    assert all(sign["sign"] in ORDER for sign in TASK.values())


def test_an_unknown_state_is_shown_as_unknown() -> None:
    assert sign_of_state("compensating") == UNKNOWN


def test_a_dead_letter_outweighs_the_state() -> None:
    assert sign_of_state("failed", dead=True) == DEAD


def test_a_bar_has_one_order_and_no_empty_segment() -> None:
    counts = {"failed": 1, "completed": 9_999, "working": 0, "requested": 3, "submitted": 2}
    assert bar(counts) == [("done", 9_999), ("waiting", 5), ("failed", 1)]


def test_dead_and_blocked_tasks_move_out_of_their_segments() -> None:
    assert bar({"failed": 3, "requested": 5}, dead=1, blocked=4) == [
        ("waiting", 1),
        ("failed", 2),
        ("dead", 1),
        ("blocked", 4),
    ]


def test_no_more_tasks_are_blocked_than_wait() -> None:
    assert bar({"requested": 2}, blocked=10) == [("blocked", 2)]


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([("done", 9), ("failed", 1)], "failed"),
        ([("done", 9), ("human", 1), ("running", 3)], "human"),
        ([("done", 9)], "done"),
        ([], "unknown"),
    ],
)
def test_a_group_is_never_greener_than_its_worst_member(segments: list[tuple[str, int]], expected: str) -> None:
    assert worst(segments) == expected


def test_an_unassigned_group_has_a_failed_fill_and_an_empty_glyph() -> None:
    chip = verdict_chip("unassigned")
    assert (chip["sign"], chip["glyph"], chip["verdict"]) == ("failed", "none", "unassigned")


def test_a_verdict_nobody_knows_is_unknown() -> None:
    assert verdict_chip("tired")["verdict"] == "unknown"
    assert verdict_rank("tired") == VERDICT_ORDER.index("unknown")


def test_worst_verdicts_come_first() -> None:
    ranks = [verdict_rank(state) for state in ("stuck", "unassigned", "slow", "working", "idle")]
    assert ranks == sorted(ranks)
