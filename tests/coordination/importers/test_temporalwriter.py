"""Rules that hold for every entry of a history."""

import pytest

from coordination.importers.temporal import read
from coordination.instants import parse
from tests.coordination.importers.histories import ALL, START, entries_of, entry, events_of, told
from tests.coordination.recordings import named, recording


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
