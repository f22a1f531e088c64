"""Joins: who arrived, who is missing and where."""

import pytest

from dashboard.api.joinlist import join_page, joins_by_id
from tests.dashboard.scenes import NOW, dead_letter, failed_task, fan_out, run, task

pytestmark = pytest.mark.django_db


def branches(count: int, state: str = "completed", first: int = 0) -> None:
    for index in range(first, first + count):
        ended = NOW if state == "completed" else None
        task(f"b{index}", state=state, fanout_id="fan", fanout_index=index, ended_at=ended)


def test_an_open_join_names_its_missing_inputs_and_where_they_are() -> None:
    run()
    fan_out("fan", title="evidence", expected=4)
    branches(2)
    task("b2", state="requested", fanout_id="fan", fanout_index=2)
    row = join_page("run-1")["items"][0]
    assert (row["rule"], row["expected"], row["arrived"], row["label"]) == ("all", 4, 2, "evidence")
    assert [(each["index"], each["where"]) for each in row["missing"]] == [
        (2, "in broker at task.commands-4@100"),
        (3, "not produced"),
    ]
    assert row["tally"] == "2 of 4"
    assert not row["decided"]


def test_an_unsealed_join_says_that_more_may_come() -> None:
    fan_out("fan")
    branches(2)
    row = join_page("run-1")["items"][0]
    assert (row["expected"], row["tally"]) == (None, "2 of ≥ 2")


def test_a_join_that_cannot_complete_says_because_of_whom() -> None:
    fan_out("fan", expected=2)
    branches(1)
    failed_task("b1", fanout_id="fan", fanout_index=1)
    dead_letter(1, task_id="b1")
    row = join_page("run-1")["items"][0]
    assert (row["verdict"], row["bad"]) == ("cannot complete", True)
    assert "dead-lettered" in row["verdict_text"]


def test_open_joins_come_before_decided_ones() -> None:
    fan_out("a", verdict="satisfied", verdict_at=NOW, expected=1)
    fan_out("b", expected=1)
    assert [row["fanout_id"] for row in join_page("run-1")["items"]] == ["b", "a"]
    assert [row["fanout_id"] for row in join_page("run-1", "a")["items"]] == ["a"]


def test_joins_are_found_by_id() -> None:
    fan_out("a", expected=1)
    assert joins_by_id("run-1", ["a", "nix"]).keys() == {"a"}
