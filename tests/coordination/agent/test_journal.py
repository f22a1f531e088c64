"""Recorded steps: which are found again, in which attempt, and what may not be recorded."""

import contextlib
from typing import Any

import pytest

from coordination.agent.errors import StepMismatch, StepTooLarge
from coordination.agent.handled import Handled
from coordination.agent.journal import Journal, made_of


def memory(attempt: int = 1, **changes: Any) -> Handled:
    return Handled(
        group="g",
        kind="task",
        key="t",
        status="working",
        topic="c",
        partition=0,
        offset=0,
        updated_at=0,
        attempt=attempt,
        **changes,
    )


def test_steps_of_one_name_are_told_apart_by_their_order() -> None:
    journal = Journal(memory())
    assert [journal.key("tool", "search") for _ in range(3)] == ["tool:search", "tool:search#1", "tool:search#2"]
    assert journal.key("tool", "fetch") == "tool:fetch"


def test_a_second_execution_finds_the_steps_of_the_first() -> None:
    held = memory()
    first = Journal(held)
    first.record(first.key("tool", "search"), {"hits": 3})
    second = Journal(held)
    step = second.find(second.key("tool", "search"))
    assert step is not None
    assert step.value == {"hits": 3}


def test_what_only_looked_is_looked_at_anew_in_the_next_attempt() -> None:
    held = memory()
    Journal(held).record("tool:search", 1)
    Journal(held).record("tool:pay", 2, lasting=True)
    held.attempt = 2
    assert Journal(held).find("tool:search") is None
    assert Journal(held).find("tool:pay") is not None


def test_a_step_asked_for_something_else_is_a_mismatch() -> None:
    held = memory()
    Journal(held).record("tool:search", 1, made_of=made_of("search", {"q": "a"}))
    with pytest.raises(StepMismatch, match="other arguments"):
        Journal(held).find("tool:search", made_of("search", {"q": "b"}))


def test_a_large_result_is_refused() -> None:
    with pytest.raises(StepTooLarge, match="return a reference"):
        Journal(memory()).record("tool:search", "x" * 70_000)


def test_many_results_that_do_not_fit_together_are_refused_and_the_rest_stays() -> None:
    held = memory()
    journal = Journal(held)
    recorded = 0
    with contextlib.suppress(StepTooLarge):
        while recorded < 100:
            journal.record(f"tool:{recorded}", "x" * 60_000)
            recorded += 1
    assert 10 < recorded == len(held.journal) < 20
    with pytest.raises(StepTooLarge, match="together"):
        journal.record("tool:again", "x" * 60_000)


def test_arguments_are_recognised_whatever_their_order() -> None:
    assert made_of({"a": 1, "b": 2}) == made_of({"b": 2, "a": 1})
    assert made_of(2**70) == made_of(2**70) != made_of(2**71)
