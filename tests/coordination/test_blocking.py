"""What a task holds up."""

import pytest

from coordination.blocking import blocked_by
from coordination.tasks import Task


def task(task_id: str, *needs: str, parent: str = "", state: str = "requested") -> Task:
    return Task(run_id="r", task_id=task_id, depends_on=needs, parent_task_id=parent, state=state)


@pytest.mark.parametrize(
    ("asks", "held"),
    [
        ("pay", {"tell", "close", "root"}),
        ("close", set()),
        ("nobody", set()),
    ],
)
def test_dependents_and_parents_wait_through_others(asks: str, held: set[str]) -> None:
    tasks = [
        task("root", state="working"),
        task("pay", parent="root", state="input_required"),
        task("tell", "pay"),
        task("close", "tell"),
        task("done", "pay", state="completed"),
    ]
    assert blocked_by(asks, tasks) == held


def test_a_circle_ends() -> None:
    assert blocked_by("a", [task("a", "b"), task("b", "a")]) == {"b"}
