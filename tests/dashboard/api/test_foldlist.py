"""Folds: parts of all shards summed, first seen first, empty ones left out."""

import pytest

from coordination.runs import Sample
from dashboard.api.foldlist import fold_page, folds_of
from tests.dashboard.scenes import NOW, fold

pytestmark = pytest.mark.django_db


def test_parts_of_all_shards_are_summed() -> None:
    fold("f", {"completed": 3}, shard="12-0", fanouts=("x",), sample=Sample(task_id="b", task_type="late"))
    fold("f", {"completed": 2, "failed": 1}, shard="12-1", fanouts=("y",), sample=Sample(task_id="a", task_type="t"))
    found = folds_of("run-1")[0]
    assert (found.counts, found.total, found.revision) == ({"completed": 5, "failed": 1}, 6, 2)
    assert found.fanouts == ("x", "y")
    assert found.sample is not None
    assert found.sample.task_id == "a"


def test_folds_come_first_seen_first() -> None:
    fold("late", {"working": 1}, first_at=NOW + 5)
    fold("early", {"working": 1}, first_at=NOW)
    assert [row["id"] for row in fold_page("run-1")["items"]] == ["early", "late"]


def test_a_fold_that_counts_nothing_is_left_out() -> None:
    fold("gone", {})
    assert fold_page("run-1")["items"] == []


def test_folds_of_other_runs_stay_there() -> None:
    fold("f", {"working": 1}, run_id="run-2")
    assert folds_of("run-1") == []
