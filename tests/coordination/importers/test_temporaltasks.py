"""Rules of activities and children as tasks."""

import itertools
from collections import Counter

import pytest

from tests.coordination.importers.histories import START, entry, events_of, told
from tests.coordination.recordings import folded, named


def test_the_last_unwritten_failure_carries_the_error_that_the_history_remembers() -> None:
    failures = named(events_of("gogoproto-payload-workflow"), "task.attempt.failed")
    assert Counter(event.attempt for event in failures) == {1: 6, 2: 6}
    assert {event.data.error is None for event in failures if event.attempt == 1} == {True}
    last = [event.data.error for event in failures if event.attempt == 2]
    assert {error.type for error in last} == {"ActivityNotRegisteredError"}
    assert all(event.derived for event in failures)


def test_unwritten_attempts_lie_between_the_schedule_and_the_written_start_with_the_policys_waits() -> None:
    events = events_of("gogoproto-payload-workflow")
    task = named(events, "task.attempt.failed")[0].task_id
    mine = [event for event in events if event.task_id == task]
    names = ["task.requested", *["task.started", "task.attempt.failed"] * 2, "task.started", "task.completed"]
    assert [event.name for event in mine] == names
    times = [event.at for event in mine]
    assert times == sorted(times)
    waits = [times[3] - times[2], times[5] - times[4]]
    assert [round(wait / 1_000_000, 3) for wait in waits] == [1.0, 2.0]


def test_tasks_scheduled_by_one_workflow_task_are_a_fan_out_with_its_join() -> None:
    events = events_of("multiple-updates")
    branches = named(events, "task.requested")
    assert [(event.fanout_index, event.fanout_count) for event in branches] == [(0, 3), (1, 3), (2, 3)]
    [opened], [sealed], [satisfied] = (
        named(events, f"fan{kind}") for kind in ("out.opened", "out.sealed", "in.satisfied")
    )
    assert {event.fanout_id for event in (opened, sealed, satisfied, *branches)} == {opened.fanout_id}
    assert [(cause.index, cause.outcome) for cause in satisfied.data.causes] == [(n, "completed") for n in range(3)]
    assert satisfied.causation_id == satisfied.data.causes[2].event_id
    assert opened.derived
    assert [fan_out.verdict for fan_out in folded(events).fan_outs.values()] == ["satisfied"]


def test_a_fan_out_that_the_runs_end_cut_short_has_failed() -> None:
    events = events_of("terminated.ascending")
    [failed] = named(events, "fanin.failed")
    assert Counter(cause.outcome for cause in failed.data.causes) == {"completed": 1, "canceled": 2}


def test_a_task_depends_on_the_results_its_workflow_task_had_just_received() -> None:
    requested = named(events_of("gogoproto-payload-workflow"), "task.requested")
    assert requested[0].data.depends_on == ()
    for before, after in itertools.pairwise(requested):
        assert after.data.depends_on == (before.task_id,)
    assert not any(event.fold_key.startswith("~") for event in requested)


def test_children_are_tasks_too() -> None:
    events = told(
        START,
        entry(2, "StartChildWorkflowExecutionInitiated", workflowType={"name": "Child"}, taskQueue={"name": "Q 1"}),
        entry(3, "ChildWorkflowExecutionStarted", initiatedEventId="2"),
        entry(
            4,
            "ChildWorkflowExecutionFailed",
            initiatedEventId="2",
            failure={"message": "no", "cause": {"message": "x"}},
        ),
        entry(5, "WorkflowExecutionFailed", failure={"message": "child", "applicationFailureInfo": {"type": "E"}}),
    )
    names = ["run.started", "task.requested", "task.started", "task.failed", "run.failed"]
    assert [event.name for event in events] == names
    assert (events[1].data.task_type, events[1].target_group, events[1].task_id) == ("Child", "q-1", "r-1.child-2")
    assert events[3].data.error.message == "no\ncaused by: x"
    assert events[4].data.error.type == "E"


@pytest.mark.parametrize(
    ("kind", "name", "state"),
    [
        ("ActivityTaskFailed", "task.failed", "failed"),
        ("ActivityTaskTimedOut", "task.expired", "expired"),
        ("ActivityTaskCanceled", "task.canceled", "canceled"),
        ("ActivityTaskCompleted", "task.completed", "completed"),
    ],
)
def test_each_end_of_an_activity_is_the_end_of_its_task(kind: str, name: str, state: str) -> None:
    events = told(
        START,
        entry(2, "ActivityTaskScheduled", activityId="a", activityType={"name": "do_it_7"}, taskQueue={"name": "q"}),
        entry(3, "ActivityTaskStarted", scheduledEventId="2", attempt=1, identity="1@Host"),
        entry(4, kind, scheduledEventId="2", startedEventId="3"),
    )
    assert events[-1].name == name
    assert (events[1].data.task_type, events[1].data.title) == ("do_it", "do_it_7")
    assert (events[2].agent_id, events[2].agent_group) == ("1-host", "q")
    assert [task.state for task in folded(events).tasks.values()] == [state]


def test_a_start_after_many_attempts_tells_the_last_hundred() -> None:
    events = told(
        START,
        entry(2, "ActivityTaskScheduled", activityType={"name": "a"}),
        entry(3, "ActivityTaskStarted", scheduledEventId="2", attempt=5000),
    )
    failed = named(events, "task.attempt.failed")
    assert [event.attempt for event in failed] == list(range(4900, 5000))
    assert all(events[1].at <= event.at <= events[-1].at for event in failed)


def test_an_entry_about_a_task_the_history_does_not_have_is_told_as_it_is() -> None:
    events = told(START, entry(2, "ActivityTaskCompleted", scheduledEventId="77"))
    assert events[1].type == "io.temporal.history.ActivityTaskCompleted"
