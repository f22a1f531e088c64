"""The scorecard's rules: each figure gives the score its rule says, facts set floors, nothing is added up early."""

import pytest

from coordination.readiness import (
    DIMENSIONS,
    Answer,
    Finding,
    criticality,
    governance,
    judged,
    migration,
    replay,
    retention,
    variance,
    verdict,
)

GOVERNANCE = next(each for each in DIMENSIONS if each.key == "governance")
CRITICALITY = next(each for each in DIMENSIONS if each.key == "criticality")


@pytest.mark.parametrize(
    ("given", "score"),
    [
        ((0, 0, 0, 0), None),
        ((10, 0, 0, 0), 1),
        ((10, 1, 0, 0), 2),
        ((10, 5, 0, 0), 3),
        ((10, 9, 0, 0), 4),
        ((10, 10, 3, 0), 4),
        ((10, 10, 3, 1), 5),
    ],
)
def test_criticality_is_the_share_of_work_that_lives_on_the_log(given: tuple[int, ...], score: int | None) -> None:
    assert criticality(*given).score == score


@pytest.mark.parametrize(
    ("acts", "days", "score"), [(0, 0.5, None), (0, 30, 1), (2, 30, 2), (2, 7, 3), (7, 7, 4), (60, 7, 5)]
)
def test_replay_depth_is_how_often_it_is_done(acts: int, days: float, score: int | None) -> None:
    assert replay(acts, days, 3.0).score == score


@pytest.mark.parametrize(
    ("minutes", "score"),
    [([5] * 30, None), ([5] * 100, 1), ([5] * 90 + [12] * 10, 2), ([5] * 90 + [25] * 10, 3),
     ([5] * 90 + [50] * 10, 4), ([5] * 90 + [100] * 10, 5), ([0] * 95 + [5] * 5, None)],
)  # fmt: skip
def test_variance_compares_busy_minutes_with_usual_ones(minutes: list[int], score: int | None) -> None:
    assert variance(minutes).score == score


@pytest.mark.parametrize(("days", "score"), [(None, None), (1.0, 1), (8.0, 2), (31.0, 3), (91.0, 4), (366.0, 5)])
def test_retention_is_at_least_how_old_records_are_already(days: float | None, score: int | None) -> None:
    assert retention(None, days, 400).score == score


def test_governance_goes_by_the_most_sensitive_class_records_declare() -> None:
    assert governance({}, 3, 0).score is None
    assert governance({"internal": 9, "personal": 1}, 3, 0).score == 4
    assert governance({"public": 9, "Restricted": 1}, 3, 0).score == 5


def test_migration_is_held_by_what_belongs_to_others() -> None:
    assert migration(0, 0, 9).score is None
    assert migration(2, 0, 0).score == 3


def test_a_person_is_asked_and_facts_are_a_floor() -> None:
    nobody = judged(GOVERNANCE, Finding(4, "Records say so."), None)
    assert (nobody.score, nobody.basis) == (None, "none")
    low = judged(GOVERNANCE, Finding(4, "Records say so."), Answer(2, "harmless", "ana", 1))
    assert (low.score, low.basis) == (4, "floor")
    assert "ana says 2" in low.because
    high = judged(GOVERNANCE, Finding(4, "Records say so."), Answer(5, "law", "ana", 1))
    assert (high.score, high.basis) == (5, "answered")


def test_where_facts_decide_nobody_is_asked() -> None:
    assert judged(CRITICALITY, Finding(3, "half"), Answer(5, "?", "ana", 1)).score == 3
    assert judged(CRITICALITY, Finding(None, "none"), Answer(5, "?", "ana", 1)).score is None


def test_nothing_is_added_up_while_one_is_missing() -> None:
    full = [judged(each, Finding(4, ""), Answer(4, "", "ana", 1)) for each in DIMENSIONS]
    assert verdict(full).startswith("Mean 4.0: coordination needs")
    missing = [*full[:-1], judged(DIMENSIONS[-1], Finding(None, ""), None)]
    assert verdict(missing) == "5 of 6 dimensions are known. Missing: migration tolerance."
