"""Every figure that is published about the Temporal histories."""

import json
from collections import Counter

import pytest

from coordination.event import Event
from coordination.importers.recording import BadRecording
from coordination.importers.temporal import read
from tests.coordination.importers.histories import PAIRS, START, events_of
from tests.coordination.recordings import folded, named, read_back, recording


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


def test_one_entry_of_an_unknown_type_is_counted_and_kept_as_it_is() -> None:
    found = read(recording("temporal/workflow_with_unknown_event.json"))
    events = read_back(found.records)
    [unknown] = [event for event in events if event.type.startswith("io.temporal.unknown.")]
    assert (found.events, dict(found.unknown), len(events)) == (26, {"UnknownEvent": 1}, 26)
    assert (unknown.type, unknown.known) == ("io.temporal.unknown.UnknownEvent", False)
    assert unknown.data["attributes"]["startToCloseTimeout"] == "10s"
    assert folded(events).tasks


def test_importing_under_another_run_id_is_another_run() -> None:
    mine, theirs = events_of("completed.ascending", "mine"), events_of("completed.ascending")
    assert {event.run_id for event in mine} == {"mine"}
    assert {event.task_id for event in mine} == {"", "mine.18"} or all(
        event.task_id.startswith("mine.") for event in mine if event.task_id
    )
    assert {event.id for event in mine}.isdisjoint(event.id for event in theirs)


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
