"""Replay: any stretch of any log, up to a position, folded by the same code as live."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.encoding import encode
from coordination.event import Event
from coordination.eventlog import APPEND_TIME, NewRecord, StoredRecord, TopicPartition
from coordination.instants import rfc3339
from coordination.memorylog import MemoryLog
from coordination.projection import Rows, fold
from coordination.replay import BadPosition, in_order, read_log, read_run, steps, up_to
from tests.coordination.everything import everything, layout
from tests.coordination.stories import MANIFEST, SECOND, START, Story
from tests.coordination.test_projection import plain

CASES = settings(max_examples=max(50, settings().max_examples // 4))


def stored(event: Event) -> StoredRecord:
    new = encode(event)
    where = (event.topic, event.partition, event.offset, event.at // 1000, APPEND_TIME)
    return StoredRecord(*where, new.key, new.value, new.headers)


def small_story() -> Story:
    story = Story()
    story.say("run.started", data={"name": "report"})
    story.request("a")
    story.say("task.started", task="a", agent_id="x")
    story.request("other", run="run-2")
    story.say("task.failed", task="a", agent_id="x")
    story.say("run.failed")
    return story


@CASES
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_read_to_the_end_a_replay_is_the_live_picture(seed: int, size: int) -> None:
    events = everything(seed, size).events()
    live = Rows(layout())
    fold(live, events)
    again = Rows(layout())
    fold(again, (one.event for one in in_order(events)))
    assert plain(again) == plain(live)


@CASES
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_positions_order_all_records_and_break_no_partition(seed: int, size: int) -> None:
    events = everything(seed, size).events()
    shuffled = random.Random(seed).sample(events, len(events))
    placed = in_order(shuffled)
    assert [one.position for one in placed] == sorted(one.position for one in placed)
    offsets: dict[tuple[str, int], int] = {}
    for one in placed:
        place = one.event.topic, one.event.partition
        assert offsets.get(place, -1) < one.event.offset
        offsets[place] = one.event.offset
    assert len(placed) == len(events)


def test_t_is_the_running_maximum_of_a_partition() -> None:
    story = Story()
    story.say("task.started", task="a", at=START + 9 * SECOND)
    story.say("task.completed", task="a", at=START + 5 * SECOND)
    assert [one.position.at for one in in_order(story.events())] == [START + 9 * SECOND] * 2


def test_only_the_run_asked_for_is_read() -> None:
    replayed = read_run(map(stored, small_story().events()), "run-1")
    assert {run for run, _ in replayed.rows.tasks} == {"run-1"}
    assert [one.event.name for one in replayed.placed] == [
        "run.started",
        "task.requested",
        "task.started",
        "task.failed",
        "run.failed",
    ]


def test_a_position_is_inclusive_and_nothing_after_it_counts() -> None:
    story = small_story()
    started = next(event for event in story.events() if event.name == "task.started")
    replayed = read_run(map(stored, story.events()), "run-1", f"{started.topic}-{started.partition}@{started.offset}")
    assert replayed.rows.tasks["run-1", "a"].state == "working"
    assert replayed.position is not None
    assert replayed.position.offset == started.offset
    assert replayed.vector()[TopicPartition(started.topic, started.partition)] == started.offset + 1


def test_a_time_is_a_position_too() -> None:
    story = small_story()
    started = next(event for event in story.events() if event.name == "task.started")
    replayed = read_run(map(stored, story.events()), "run-1", rfc3339(started.at))
    assert replayed.rows.tasks["run-1", "a"].state == "working"


@pytest.mark.parametrize("to", ["nowhere", "coord.run.task.events-3@99999", "x@y"])
def test_a_position_that_is_none_is_refused_in_words(to: str) -> None:
    with pytest.raises(BadPosition, match="position"):
        read_run(map(stored, small_story().events()), "run-1", to)


def test_records_that_are_no_events_are_kept_with_their_reason() -> None:
    broken = StoredRecord("coord.run.task.events", 1, 7, 0, APPEND_TIME, None, b"{}", ())
    replayed = read_run([broken, *map(stored, small_story().events())])
    assert [(one.topic, one.partition, one.offset, one.stage) for one in replayed.unread] == [
        ("coord.run.task.events", 1, 7, "envelope")
    ]
    assert replayed.rows.tasks["run-1", "a"].state == "failed"


def test_records_read_twice_count_once() -> None:
    records = [stored(event) for event in small_story().events()]
    once, twice = read_run(records), read_run([*records, *records])
    assert plain(once.rows) == plain(twice.rows)


def test_an_event_delivered_twice_in_one_partition_counts_once_as_in_ingest() -> None:
    story = Story()
    said = story.say("task.started", task="a", agent_id="x")
    story.append(said, said.topic, said.partition)
    (placed,) = in_order(story.events())
    assert placed.event.offset == 0


def test_steps_tell_what_each_event_changed() -> None:
    told = [
        (step.event.name, [(one.task_id, one.before, one.after) for one in step.changes], step.failures)
        for step in steps(in_order(small_story().events()))
        if step.event.run_id == "run-1"
    ]
    assert told == [
        ("run.started", [("", "", "working")], 0),
        ("task.requested", [("a", "", "requested")], 0),
        ("task.started", [("a", "requested", "working")], 0),
        ("task.failed", [("a", "working", "failed")], 1),
        ("run.failed", [("", "working", "failed")], 1),
    ]


def test_up_to_nothing_is_everything() -> None:
    placed = in_order(small_story().events())
    assert up_to(placed, None) == placed


async def test_a_log_is_read_to_the_end_it_had_when_asked() -> None:
    log = MemoryLog()
    await log.create_topics(MANIFEST.specs())
    story = small_story()
    await log.append([as_new(event) for event in story.events()])
    replayed = await read_log(log, "run-1", topics=MANIFEST.topics)
    assert replayed.rows.tasks["run-1", "a"].state == "failed"
    assert len(replayed.placed) == 5
    await log.close()


async def test_an_empty_log_is_an_empty_replay() -> None:
    log = MemoryLog()
    await log.create_topics(MANIFEST.specs())
    replayed = await read_log(log, None, topics=MANIFEST.topics)
    assert (replayed.placed, replayed.position, replayed.vector()) == ((), None, {})
    await log.close()


def as_new(event: Event) -> NewRecord:
    new = encode(event)
    return NewRecord(event.topic, new.key, new.value, new.headers, event.partition)
