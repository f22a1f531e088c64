"""Several workers: no row is written by two, none that lost its lease writes, foreign layouts are slower but right."""

import asyncio
import random
import threading
from collections.abc import Callable

import msgspec
from django.db import connection

from coordination.envelope import Decoder
from coordination.eventlog import TopicSpec
from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from coordination.projection import Layout, Rows, fold
from dashboard.ingest.loop import Ingest
from dashboard.models import Position, Run, RunPart, Shard
from dashboard.runtime import make_store
from dashboard.shards import Leases
from tests.benchmarks.workload import Workload
from tests.dashboard.ingest.picture import rows_in_tables, rows_of_fold, stored_records

EVENTS = 6_000


def run_in_threads(ingests: list[Ingest], during: Callable[[], None] = lambda: None) -> list[bool]:
    """Run them side by side until all are drained."""
    stop, drained = threading.Event(), [False] * len(ingests)

    def work(number: int) -> None:
        drained[number] = ingests[number].run(stop)
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(ingests))]
    for thread in threads:
        thread.start()
    during()
    for thread in threads:
        thread.join(60)
    stop.set()
    return drained


def worker(log: MemoryLog, name: str, *, seconds: float = 1.0) -> Ingest:
    return Ingest(lambda: log, Manifest(), make_store(), Leases(name, "ingest", seconds=seconds), drain=True)


def assert_everything_once() -> None:
    records = stored_records()
    assert len({(each.topic, each.partition, each.offset) for each in records}) == len(records) == EVENTS
    assert sum(Position.objects.values_list("records", flat=True)) == EVENTS
    ordered = sorted(records, key=lambda each: (each.topic, each.partition, each.offset))
    assert rows_in_tables() == rows_of_fold(ordered)


def test_two_workers_share_the_work_and_everything_is_there_once(tables, log, append):
    workload = Workload(tasks=30, live_runs=5)
    append(workload.records(EVENTS // 2))

    def feed() -> None:
        for _ in range(EVENTS // 400):
            append(workload.records(200))

    assert run_in_threads([worker(log, "a"), worker(log, "b")], feed) == [True, True]
    assert worker(log, "c").run(threading.Event())
    assert_everything_once()
    for run in Run.objects.all():
        parts = RunPart.objects.filter(run_id=run.run_id).values_list("body", flat=True)
        assert run.revision == sum(msgspec.json.decode(body)["revision"] for body in parts)


def test_a_worker_that_slept_past_its_lease_writes_nothing_when_it_wakes(tables, log, append, monkeypatch):
    """Its batch is open when the lease goes: the transaction must find out by itself."""
    append(Workload(tasks=30, live_runs=5).records(EVENTS))
    sleeper, other = worker(log, "sleeper", seconds=0.6), worker(log, "other", seconds=0.6)
    taking, asleep, awake = sleeper._intake.take, threading.Event(), threading.Event()

    def take(records):
        if not asleep.is_set():
            asleep.set()
            awake.wait(30)
        taking(records)

    monkeypatch.setattr(sleeper._intake, "take", take)
    thread = threading.Thread(target=lambda: (sleeper.run(threading.Event()), connection.close()))
    thread.start()
    assert asleep.wait(20)
    assert run_in_threads([other]) == [True]
    assert_everything_once()
    awake.set()
    thread.join(30)
    assert_everything_once()


def test_workers_that_come_and_go_leave_nothing_out_and_nothing_double(tables, log, append):
    append(Workload(tasks=30, live_runs=5).records(EVENTS))
    rng = random.Random(5)
    for number in range(8):
        stop = threading.Event()
        threading.Timer(rng.uniform(0.05, 0.4), stop.set).start()
        worker(log, f"w{number}").run(stop)
    assert worker(log, "last").run(threading.Event())
    assert_everything_once()


def test_topics_that_are_not_co_partitioned_are_folded_right_by_two_workers(tables, append):
    """Six partitions of tool events: a task's row is written from two shards, which two workers own."""
    log = MemoryLog()
    specs = [
        TopicSpec(spec.name, 6 if spec.name.endswith("tool.events") else spec.partitions) for spec in Manifest().specs()
    ]
    asyncio.run(log.create_topics(specs))
    asyncio.run(log.append(Workload(tasks=30, live_runs=5).records(EVENTS)))
    assert run_in_threads([worker(log, "a"), worker(log, "b")]) == [True, True]
    records = stored_records()
    assert len(records) == EVENTS
    decoder, rows = Decoder(), Rows(Layout(partitions={"coord.run.tool.events": 6}))
    fold(rows, [decoder.decode(each) for each in records])
    found = {key: row for (table, key), row in rows_in_tables().items() if table == "dashboard_task"}
    for row in rows.tasks.values():
        row.revision = 0
    assert found == rows.tasks


def test_epochs_only_grow(tables, log, append):
    append(Workload(tasks=30, live_runs=5).records(200))
    before: dict[str, int] = {}
    for number in range(3):
        assert worker(log, f"w{number}").run(threading.Event())
        after = dict(Shard.objects.values_list("shard", "epoch"))
        assert all(after[name] > before.get(name, 0) for name in after)
        before = after
