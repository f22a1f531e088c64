"""Rules of Temporal histories, and every figure that is published about them."""

import itertools
import json
from collections import Counter
from typing import Any

import pytest

from coordination.event import Event
from coordination.importers.recording import BadRecording
from coordination.importers.temporal import read
from coordination.instants import parse
from tests.coordination.recordings import folded, named, read_back, recording

PAIRS = {"completed": 18, "canceled": 13, "terminated": 30, "running": 13}


def events_of(name: str, run_id: str = "") -> list[Event]:
    return read_back(read(recording(f"temporal/{name}.json"), run_id=run_id).records)


def entries_of(name: str) -> list[dict[str, Any]]:
    content = json.loads(recording(f"temporal/{name}.json"))
    entries = content if isinstance(content, list) else content.get("history", content)["events"]
    return sorted(entries, key=lambda one: int(one["eventId"]))


def seconds(events: list[Event]) -> float:
    [started] = named(events, "run.started")
    [ended] = [event for event in events if event.name in ("run.completed", "run.failed", "run.canceled")]
    return (ended.at - started.at) / 1_000_000


def test_customer_service_shows_six_model_calls_four_human_updates_and_a_cancel() -> None:
    events = events_of("customer-service")
    rows = folded(events)
    assert read(recording("temporal/customer-service.json")).events == 65
    assert [event.data.task_type for event in named(events, "task.requested")] == ["invoke_model_activity"] * 6
    assert (len(named(events, "task.completed")), len(named(events, "model.call.completed"))) == (6, 6)
    assert (len(named(events, "approval.requested")), len(named(events, "approval.granted"))) == (4, 4)
    assert [request.state for request in rows.requests.values()] == ["granted"] * 4
    assert sum(task.model_calls for task in rows.tasks.values()) == 6
    assert (events[-1].name, round(seconds(events), 3)) == ("run.canceled", 0.181)


def test_timed_out_shows_one_expired_activity_and_a_run_that_failed_after_twenty_minutes() -> None:
    events = events_of("timed-out")
    rows = folded(events)
    assert read(recording("temporal/timed-out.json")).events == 18
    [expired] = named(events, "task.expired")
    assert expired.data.reason == "ScheduleToStart"
    assert expired.data.error.message.startswith("activity ScheduleToStart timeout\ncaused by: listWorkflow returned")
    assert [task.state for task in rows.tasks.values()] == ["expired"]
    [failed] = named(events, "run.failed")
    assert (failed.data.reason, round(seconds(events), 3)) == ("timed out", 1200.001)


@pytest.mark.parametrize(("name", "count"), PAIRS.items())
def test_both_orders_of_a_history_give_the_same_records_and_so_the_same_rows(name: str, count: int) -> None:
    ascending = read(recording(f"temporal/{name}.ascending.json"))
    descending = read(recording(f"temporal/{name}.descending.json"))
    assert (ascending.events, descending.events) == (count, count)
    assert ascending.run_id == descending.run_id
    assert list(ascending.records) == list(descending.records)


@pytest.mark.parametrize("name", PAIRS)
def test_both_orders_fold_into_equal_rows(name: str) -> None:
    one, other = (folded(events_of(f"{name}.{order}")) for order in ("ascending", "descending"))
    assert one.tasks == other.tasks
    assert one.run_parts == other.run_parts
    assert one.fold_parts == other.fold_parts
    assert one.fan_outs == other.fan_outs


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


def test_gogoproto_shows_thirteen_activities_six_of_them_done_on_a_third_attempt_nobody_wrote() -> None:
    events = events_of("gogoproto-payload-workflow")
    rows = folded(events)
    assert read(recording("temporal/gogoproto-payload-workflow.json")).events == 146
    assert [task.state for task in rows.tasks.values()] == ["completed"] * 13
    assert Counter(task.attempt for task in rows.tasks.values()) == {1: 7, 3: 6}
    retried = [task for task in rows.tasks.values() if task.attempt == 3]
    assert {task.derived_times for task in retried} == {True}
    assert not any(task.anomalies for task in rows.tasks.values())
    assert Counter(len(task.attempts) for task in rows.tasks.values()) == {1: 7, 3: 6}
    assert round(seconds(events), 2) == 30.92


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


def test_ten_updates_are_ten_requests_all_granted() -> None:
    events = events_of("multiple-updates")
    assert [request.state for request in folded(events).requests.values()] == ["granted"] * 10
    assert Counter(event.name for event in events)["approval.requested"] == 10


def test_ten_updates_that_end_in_failure_are_all_denied() -> None:
    events = events_of("multiple-updates-canceled")
    assert [request.state for request in folded(events).requests.values()] == ["denied"] * 10
    assert {event.data.comment for event in named(events, "approval.denied")} == {"canceled"}


def test_one_entry_of_an_unknown_type_is_counted_and_kept_as_it_is() -> None:
    found = read(recording("temporal/workflow_with_unknown_event.json"))
    events = read_back(found.records)
    [unknown] = [event for event in events if event.type.startswith("io.temporal.unknown.")]
    assert (found.events, dict(found.unknown), len(events)) == (26, {"UnknownEvent": 1}, 26)
    assert (unknown.type, unknown.known) == ("io.temporal.unknown.UnknownEvent", False)
    assert unknown.data["attributes"]["startToCloseTimeout"] == "10s"
    assert folded(events).tasks


ALL = [
    "customer-service",
    "timed-out",
    "gogoproto-payload-workflow",
    "multiple-updates",
    "multiple-updates-canceled",
    "workflow_with_unknown_event",
    *(f"{name}.ascending" for name in PAIRS),
]


@pytest.mark.parametrize("name", ALL)
def test_every_entry_becomes_an_event_with_its_number_as_sequence(name: str) -> None:
    events = events_of(name)
    numbers = {int(event.sequence or 0) for event in events}
    assert numbers == {int(entry["eventId"]) for entry in entries_of(name)}


@pytest.mark.parametrize("name", ALL)
def test_recorded_times_are_the_entries_own(name: str) -> None:
    times = {int(entry["eventId"]): parse(entry["eventTime"]) for entry in entries_of(name)}
    for event in events_of(name):
        assert event.derived or event.at == times[int(event.sequence or 0)]


@pytest.mark.parametrize("name", ALL)
def test_every_event_but_the_first_names_a_cause_of_this_run(name: str) -> None:
    events = events_of(name)
    ids = [event.id for event in events]
    assert len(set(ids)) == len(ids)
    assert [event.name for event in events if event.causation_id not in ids] == ["run.started"]
    assert {event.inferred for event in events} == {()}
    assert {event.run_id for event in events} == {read(recording(f"temporal/{name}.json")).run_id}


@pytest.mark.parametrize("name", ALL)
def test_causation_is_the_scheduled_entry_or_the_completed_workflow_task(name: str) -> None:
    events = events_of(name)
    main = {(event.sequence, event.name): event.id for event in events if not event.derived}
    by_number = {int(sequence or 0): ident for (sequence, _), ident in reversed(main.items())}
    entries = {int(entry["eventId"]): entry for entry in entries_of(name)}
    for event in named(events, "task.completed") + named(events, "task.started") + named(events, "task.requested"):
        if event.derived:
            continue
        attributes = next(v for k, v in entries[int(event.sequence or 0)].items() if k.endswith("Attributes"))
        cause = attributes.get("scheduledEventId") or attributes["workflowTaskCompletedEventId"]
        assert event.causation_id == by_number[int(cause)]


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


def test_importing_under_another_run_id_is_another_run() -> None:
    mine, theirs = events_of("completed.ascending", "mine"), events_of("completed.ascending")
    assert {event.run_id for event in mine} == {"mine"}
    assert {event.task_id for event in mine} == {"", "mine.18"} or all(
        event.task_id.startswith("mine.") for event in mine if event.task_id
    )
    assert {event.id for event in mine}.isdisjoint(event.id for event in theirs)


def entry(number: int, kind: str, **attributes: Any) -> dict[str, Any]:
    name = kind[0].lower() + kind[1:] + "EventAttributes"
    return {"eventId": str(number), "eventTime": f"2026-05-01T12:00:{number:02d}Z", "eventType": kind, name: attributes}


def told(*entries: dict[str, Any]) -> list[Event]:
    return read_back(read(json.dumps(entries).encode()).records)


START = entry(1, "WorkflowExecutionStarted", workflowType={"name": "W"}, originalExecutionRunId="r-1")


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


def test_an_update_nobody_answered_is_withdrawn_when_the_run_ends_and_a_rejected_one_is_denied() -> None:
    update = {"meta": {"updateId": "u"}, "input": {"name": "ask", "args": {"payloads": [{"big": 2**60}]}}}
    events = told(
        START,
        entry(2, "WorkflowExecutionUpdateAccepted", acceptedRequest=update),
        entry(3, "WorkflowExecutionUpdateRejected", rejectedRequest={}, failure={"message": "no"}),
        entry(4, "WorkflowExecutionUpdateCompleted", acceptedEventId="99", outcome={"success": {}}),
        entry(5, "WorkflowExecutionTerminated", reason="x"),
    )
    assert Counter(event.name for event in events)["approval.requested"] == 3
    states = Counter(request.state for request in folded(events).requests.values())
    assert states == {"withdrawn": 1, "denied": 1, "granted": 1}


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


def test_a_history_without_its_beginning_still_has_a_run() -> None:
    events = told(entry(7, "TimerFired"), entry(8, "WorkflowExecutionCompleted"))
    assert events[0].name == "run.started"
    assert events[0].derived
    assert events[-1].name == "run.completed"


def test_an_entry_without_a_time_has_that_of_the_one_before_and_is_derived() -> None:
    bare = entry(2, "TimerStarted")
    del bare["eventTime"]
    events = told(START, bare)
    assert (events[1].at, events[1].derived) == (events[0].at, True)


def test_a_large_value_stays_in_the_file() -> None:
    events = told(
        START,
        entry(2, "MarkerRecorded", details="x" * 10_000),
        entry(3, "ActivityTaskScheduled", input={"payloads": ["x" * 10_000]}),
    )
    assert events[1].data["attributes"] is None
    assert "left in the file" in events[1].data["note"]
    assert events[2].data.input is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no Temporal history"),
        (b'{"events": [1]}', "no Temporal history"),
        (json.dumps([{"eventType": "TimerFired"}]).encode(), "Entry 1"),
        (json.dumps([START, START]).encode(), "eventId 1"),
        (json.dumps([START] * 3 + [5]).encode(), "eventId 1"),
    ],
)
def test_a_file_that_cannot_be_is_told_in_words(content: bytes, words: str) -> None:
    with pytest.raises(BadRecording, match=words):
        read(content)


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
