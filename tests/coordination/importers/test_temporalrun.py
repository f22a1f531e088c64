"""Rules of a run told from its history."""

from collections import Counter
from typing import Any

import pytest

from tests.coordination.importers.histories import entry, events_of, told
from tests.coordination.recordings import folded, named


@pytest.mark.parametrize(
    ("name", "states", "end"),
    [
        ("completed.ascending", {"completed": 1}, "run.completed"),
        ("canceled.ascending", {}, "run.canceled"),
        ("terminated.ascending", {"completed": 1, "canceled": 2}, "run.canceled"),
        ("running.ascending", {"requested": 1}, ""),
    ],
)
def test_runs_end_as_they_were_recorded_and_take_their_open_tasks_with_them(
    name: str, states: dict[str, int], end: str
) -> None:
    events = events_of(name)
    assert Counter(task.state for task in folded(events).tasks.values()) == states
    assert [event.name for event in events if event.name in ("run.completed", "run.canceled")] == [end] * bool(end)
    assert all(event.derived for event in named(events, "task.canceled"))


def test_a_terminated_run_says_so_and_why() -> None:
    [ended] = named(events_of("terminated.ascending"), "run.canceled")
    assert (ended.data.terminated, ended.data.reason) == (True, "reset canary")


def test_a_history_without_its_beginning_still_has_a_run() -> None:
    events = told(entry(7, "TimerFired"), entry(8, "WorkflowExecutionCompleted"))
    assert events[0].name == "run.started"
    assert events[0].derived
    assert events[-1].name == "run.completed"


@pytest.mark.parametrize("junk", [None, 5, "x", [], [5], {"payloads": 5}, {"payloads": [5, None, {"data": 5}]}, True])
def test_attributes_of_any_shape_break_nothing(junk: Any) -> None:
    names = """input result failure lastFailure attempt retryPolicy taskQueue activityType workflowType outcome
               acceptedRequest rejectedRequest meta identity reason scheduledEventId"""
    wild = dict.fromkeys(names.split(), junk)
    kinds = ["ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskFailed", "WorkflowExecutionUpdateAccepted",
             "WorkflowExecutionUpdateCompleted", "WorkflowExecutionUpdateRejected", "ActivityTaskCancelRequested",
             "WorkflowExecutionFailed"]  # fmt: skip
    events = told(*(entry(number, kind, **wild) for number, kind in enumerate(kinds, start=1)))
    assert len(events) >= len(kinds)
    assert told(*(entry(1, kind) | {f"{kind[0].lower()}{kind[1:]}EventAttributes": junk} for kind in kinds[:1]))
