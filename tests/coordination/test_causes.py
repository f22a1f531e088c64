"""First causes: which failure began it, and how much hangs on it."""

import msgspec

from coordination.causes import causes, first_cause
from coordination.events.shapes import Failure
from coordination.tasks import Task
from tests.coordination.timed import timed


def failed(name: str, at: int, **rest: object) -> Task:
    task = timed(name, 0, 1, at, state="failed", **rest)  # type: ignore[arg-type]
    return msgspec.structs.replace(task, failed_at=at, attempt=3, error=Failure(type="Timeout", message="too slow"))


def waiting(name: str, *needs: str, parent: str = "") -> Task:
    return msgspec.structs.replace(timed(name, 0, 0, None, needs=needs, parent=parent), state="requested")


def test_the_earliest_failure_without_a_failed_input_is_the_first_cause() -> None:
    found = first_cause([failed("b", 9, needs=("a",)), failed("a", 5), failed("c", 7)])
    assert found is not None
    assert (found.task_id, found.at, found.attempts, found.error_type, found.error_message) == (
        "a",
        5,
        3,
        "Timeout",
        "too slow",
    )


def test_a_parent_fails_because_of_its_child_even_in_the_same_instant() -> None:
    tasks = [failed("parent", 5), failed("child", 5, parent="parent")]
    assert [one.task_id for one in causes(tasks)] == ["child"]


def test_what_hangs_on_a_cause_is_blocked_and_counted_once() -> None:
    tasks = [failed("a", 5), failed("b", 6), waiting("x", "a", "b"), waiting("y", "x"), waiting("free")]
    assert [(one.task_id, one.blocked) for one in causes(tasks)] == [("a", ("x", "y")), ("b", ())]


def test_a_cascade_of_failures_is_counted_for_its_origin() -> None:
    tasks = [failed("a", 5), failed("b", 6, needs=("a",)), failed("c", 7, needs=("b",))]
    assert [(one.task_id, one.blocked) for one in causes(tasks)] == [("a", ("b", "c"))]


def test_what_was_done_all_the_same_is_not_blocked() -> None:
    tasks = [failed("a", 5), timed("x", 0, 1, 9, needs=("a",))]
    assert [one.blocked for one in causes(tasks)] == [()]


def test_a_failure_that_was_redone_with_success_is_no_cause() -> None:
    again = msgspec.structs.replace(timed("again", 6, 6, 9), retry_of="a")
    assert first_cause([failed("a", 5), again]) is None


def test_a_failure_that_came_before_its_input_failed_is_a_cause_of_its_own() -> None:
    tasks = [failed("b", 4, needs=("a",)), failed("a", 5)]
    assert [one.task_id for one in causes(tasks)] == ["b", "a"]


def test_where_nothing_failed_there_is_no_cause() -> None:
    assert first_cause([timed("a", 0, 0, 3), waiting("b")]) is None


def test_circles_in_the_dependencies_end() -> None:
    tasks = [failed("a", 5), waiting("x", "a", "y"), waiting("y", "x")]
    assert [one.blocked for one in causes(tasks)] == [("x", "y")]


def test_of_failures_that_explain_one_another_the_earliest_is_named() -> None:
    tasks = [failed("a", 5, needs=("b",)), failed("b", 5, needs=("a",))]
    assert [(one.task_id, one.blocked) for one in causes(tasks)] == [("a", ("b",))]
