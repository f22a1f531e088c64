"""The task's row and its tables: every fact has its rule, and the row survives being stored."""

import msgspec
import pytest

from coordination.events import CATALOGUE
from coordination.taskfacts import TASK_FACTS
from coordination.tasks import COMPENSATIONS, FAILING, OPEN, TERMINAL, TRANSITIONS, Attempt, Task
from tests.coordination.everything import everything
from tests.coordination.test_projection import folded


def test_every_task_fact_of_the_catalogue_has_a_rule_and_a_step() -> None:
    facts = {name for name, entry in CATALOGUE.items() if entry.family == "task" and entry.kind == "fact"}
    assert facts == set(TRANSITIONS) == set(TASK_FACTS)


def test_states_are_open_or_terminal_and_never_both() -> None:
    targets = {rule.target for rule in TRANSITIONS.values() if rule.target}
    assert targets | {"auth_required"} <= OPEN | TERMINAL
    assert not OPEN & TERMINAL
    assert FAILING < TERMINAL


def test_from_every_terminal_state_only_taking_back_and_compensation_are_legal() -> None:
    for state in TERMINAL:
        legal = {name for name, rule in TRANSITIONS.items() if state in rule.origins}
        assert legal == {"task.invalidated", "task.reopened", *COMPENSATIONS}


@pytest.mark.parametrize(
    ("asked", "said", "shown"),
    [(None, "none", "none"), (5, "none", "requested"), (5, "running", "running"), (None, "compensated", "compensated")],
)
def test_compensation_is_requested_until_the_agent_says_more(asked: int | None, said: str, shown: str) -> None:
    task = Task(run_id="r", task_id="t", compensation_requested_at=asked, compensated=said)
    assert task.compensation == shown


def test_the_running_attempt_is_the_last_one_without_an_outcome() -> None:
    done, running = Attempt(number=1, outcome="failed"), Attempt(number=2)
    assert Task(run_id="r", task_id="t", attempts=(done, running)).running is running
    assert Task(run_id="r", task_id="t", attempts=(done,)).running is None
    assert Task(run_id="r", task_id="t").running is None


def test_a_row_that_was_stored_and_read_is_the_same_row() -> None:
    for seed in range(20):
        for task in folded(everything(seed, 15).events()).tasks.values():
            assert msgspec.json.decode(msgspec.json.encode(task), type=Task) == task
