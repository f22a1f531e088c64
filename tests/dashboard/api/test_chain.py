"""The causal chain: at each step the input that arrived last, up to the root."""

import pytest

from dashboard.api.chain import STEPS, chain
from tests.dashboard.scenes import NOW, SECOND, task

pytestmark = pytest.mark.django_db


def test_the_chain_follows_the_input_that_ended_last() -> None:
    task("root", state="completed", ended_at=NOW + SECOND, requested_at=NOW)
    task("fast", state="completed", ended_at=NOW + 2 * SECOND, depends_on=("root",))
    task("slow", state="completed", ended_at=NOW + 9 * SECOND, depends_on=("root",), requested_at=NOW + 90 * SECOND)
    last = task("last", depends_on=("fast", "slow"))
    steps = chain(last)
    assert [step["task_id"] for step in steps] == ["root", "slow", "last"]
    assert [step["current"] for step in steps] == [False, False, True]
    assert steps[1]["after"] == "+1 m 30 s"


def test_without_dependencies_the_parent_is_the_step_before() -> None:
    task("parent")
    assert [step["task_id"] for step in chain(task("child", parent_task_id="parent"))] == ["parent", "child"]


def test_a_circle_ends_where_it_began() -> None:
    task("a", depends_on=("b",))
    assert [step["task_id"] for step in chain(task("b", depends_on=("a",)))] == ["a", "b"]


def test_a_long_chain_is_bounded() -> None:
    for number in range(STEPS + 10):
        last = task(f"t{number:03d}", depends_on=(f"t{number - 1:03d}",) if number else ())
    assert len(chain(last)) == STEPS


def test_a_step_whose_command_was_not_read_has_no_record() -> None:
    step = chain(task("t", command_topic="", command_partition=None, command_offset=None))[0]
    assert (step["position"], step["record_url"]) == ("", None)
