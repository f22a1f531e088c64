"""Stored records are found by run, by task and by position, byte for byte."""

import asyncio
import threading

import pytest

from coordination.encoding import new_event
from coordination.eventlog import TopicPartition
from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from dashboard import events
from dashboard.ingest.loop import Ingest
from dashboard.ingest.sqlite import SqliteStore
from dashboard.shards import Leases
from tests.benchmarks.workload import START, Workload


@pytest.fixture
def log(transactional_db) -> MemoryLog:
    """A log with a story in it, read into the tables."""
    log = MemoryLog()
    asyncio.run(log.create_topics(Manifest().specs()))
    asyncio.run(log.append(Workload(tasks=10, live_runs=2).records(200)))
    asyncio.run(log.append(chain()))
    Ingest(lambda: log, Manifest(), SqliteStore(), Leases("w", "ingest"), drain=True).run(threading.Event())
    return log


def chain():
    def say(name, number, **more):
        return new_event(
            name,
            extensions={"timebasis": "recorded"},
            source="/a",
            time=START + number,
            id=f"c-{number}",
            run_id="chain",
            causation=more.pop("cause", None),
            **more,
        )

    return [
        say("run.started", 1, data={"name": "chain"}),
        say("task.requested", 2, task_id="t-1", data={"task_type": "x"}, target_group="g", cause="c-1"),
        say("task.requested", 3, task_id="t-2", data={"task_type": "x"}, target_group="g", cause="c-1"),
        say("task.started", 4, task_id="t-1", cause="c-2"),
        say("task.completed", 5, task_id="t-1", cause="c-4"),
    ]


def test_every_record_of_the_log_is_found_by_its_position(log):
    async def everything():
        names = [spec.name for spec in Manifest().specs()]
        reader = await log.reader(
            dict.fromkeys(await log.ends([TopicPartition(n, i) for n in names for i in range(12)]), 0)
        )
        return await reader.read(10_000, 0)

    records = asyncio.run(everything())
    assert len(records) == 205
    for record in records[::7]:
        assert events.record_at(record.topic, record.partition, record.offset) == record


def test_a_position_that_was_never_read_has_no_record(log):
    assert events.record_at("coord.run.task.events", 3, 10_000) is None
    assert events.record_at("elsewhere", 0, 0) is None
    assert events.event_at("elsewhere", 0, 0) is None


def test_the_events_of_a_run_come_in_log_order(log):
    assert [each.id for each in events.events_of_run("chain")] == ["c-1", "c-2", "c-3", "c-4", "c-5"]
    assert events.events_of_run("nothing") == []


def test_the_events_of_a_task_are_its_own_only(log):
    assert [each.id for each in events.events_of_task("chain", "t-1")] == ["c-2", "c-4", "c-5"]
    assert [each.id for each in events.events_of_task("chain", "t-2")] == ["c-3"]


def test_causes_and_effects_are_each_others_inverse(log):
    root = events.events_of_run("chain")[0]
    effects = events.effects_of(root)
    assert [each.id for each in effects] == ["c-2", "c-3"]
    assert all(events.cause_of(each) == root for each in effects)
    assert events.cause_of(root) is None


def test_log_order_never_breaks_a_partition_even_where_clocks_went_back(log):
    for run_id in {event.run_id for event in events.events_of_run("chain")} | {"chain"}:
        last: dict[tuple[str, int], int] = {}
        for event in events.events_of_run(run_id):
            place = (event.topic, event.partition)
            assert event.offset > last.get(place, -1)
            last[place] = event.offset
