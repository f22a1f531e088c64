"""Completion: keys of the grammar, values that are there."""

import pytest

from coordination.query import parse
from coordination.subjects import RUNS, SUBJECTS, TASKS
from dashboard.api.completion import SOURCES, completions
from tests.dashboard.scenes import fold, group, position, run, task

pytestmark = pytest.mark.django_db


def texts(line: str, caret: int | None = None, run_id: str = "", subject: str = "tasks") -> list[str]:
    found = completions(SUBJECTS[subject], line, len(line) if caret is None else caret, run_id)
    return [one["text"] for one in found["items"]]


def test_keys_are_offered_as_they_are_written() -> None:
    assert texts("wa") == ["wait.broker>", "wait.queue>", "wait.retry>", "wait.review>", "wait.decision>"]
    assert texts("state:done sta")[0] == "state:"
    assert texts("broker")[0] == "wait.broker>"
    assert 0 < len(texts("")) <= 12


def test_few_values_are_offered_from_the_grammar() -> None:
    assert texts("state:fa") == ["failed"]
    assert texts("state:done,ca") == ["canceled"]
    assert texts("age>1") == ["1s", "10s", "1m", "10m", "1h", "1d"]


def test_values_are_those_that_are_there() -> None:
    run("run-1", workflow="refunds")
    fold("search web", {"working": 1})
    group("payer")
    position("coord.run.task.events")
    task("t-1", title="Pay")
    assert texts("agent:") == ["researcher", "payer"]  # of folds, then of consumer groups
    assert texts("agent:", run_id="run-1") == ["researcher"]
    assert texts("type:web") == ['"search web"']
    assert texts("topic:task") == ["coord.run.task.events"]
    assert texts("workflow:re", subject="runs") == ["refunds"]
    assert texts("task:pa", run_id="run-1") == ["t-1"]
    assert texts("run:inc", subject="runs") == ["run-1"]


def test_what_is_replaced_is_what_was_written() -> None:
    found = completions(TASKS, "state:fai,done x", 9)
    assert (found["from"], found["to"]) == (6, 9)


def test_a_completed_line_is_understood() -> None:
    fold('odd, "name"', {"working": 1})
    for line in ("type:", "state:", "age>"):
        found = completions(RUNS, line, len(line))
        for one in found["items"]:
            parse(line[: found["from"]] + one["text"], RUNS)


def test_sources_are_keys_of_some_subject() -> None:
    assert set(SOURCES) <= {name for subject in SUBJECTS.values() for name in subject.fields}
