"""Groups: worst verdict first, unknown is never nought, history in few steps."""

import pytest

from dashboard.api.grouplist import MINUTE, alarms, group_row, group_rows, histories
from dashboard.models import GroupSnapshot
from tests.dashboard.scenes import NOW, group

pytestmark = pytest.mark.django_db


def test_worst_verdicts_come_first_then_the_oldest() -> None:
    group("calm", "idle", waiting=0, age_seconds=0.0)
    group("busy", "working", age_seconds=5.0)
    group("busier", "working", age_seconds=50.0)
    group("payer", "stuck")
    assert [row["group"] for row in group_rows(NOW)] == ["payer", "busier", "busy", "calm"]


def test_what_is_unknown_is_never_shown_as_nought() -> None:
    row = group_row(group(waiting=None, members=None, offset_gap=None))
    assert (row["oldest"], row["members_text"], row["gap"]) == ("unknown", "unknown", "unknown")
    part = next(each for each in row["partitions"] if each["partition"] == 5)
    assert (part["waiting_text"], part["oldest"], part["commit_text"]) == ("unknown", "unknown", "no commit")


def test_a_group_without_waiting_tasks_has_no_oldest() -> None:
    row = group_row(group(waiting=0, age_seconds=0.0))
    assert (row["oldest"], row["age"]) == ("none", "")


def test_ages_are_in_words() -> None:
    row = group_row(group())
    assert (row["oldest"], row["rates"], row["late"]) == ("18 m 41 s", "0.4 / 0", True)


def test_alarms_count_groups_that_somebody_should_look_at() -> None:
    group("a", "stuck")
    group("b", "unassigned")
    group("c", "working")
    assert alarms() == 2


def test_a_group_no_poll_saw_for_a_day_is_forgotten() -> None:
    group("old", "stuck", taken_at=NOW - 25 * 60 * MINUTE)
    group("new", "idle")
    assert [row["group"] for row in group_rows(NOW)] == ["new"]
    assert alarms() == 0


def test_history_has_the_worst_of_each_step_and_gaps_stay_gaps() -> None:
    for minutes, waiting in ((1, 5), (1, 9), (30, 2)):
        GroupSnapshot.objects.create(group="agent.payer", taken_at=NOW - minutes * MINUTE, waiting=waiting)
    history = histories(NOW, reach=60 * MINUTE, points=30)["agent.payer"]
    assert len(history) == 30
    assert [each for each in history if each is not None] == [2, 9]
