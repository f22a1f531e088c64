"""What ingest promises: everything once, whatever it is, and the same as one fold over all of it."""

import asyncio

import msgspec

from coordination.encoding import new_event
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.memorylog import MemoryLog
from coordination.memorystore import Partition
from dashboard import gaps
from dashboard.events import record_at
from dashboard.ingest import rowwriting
from dashboard.models import (
    DeadLetter,
    Duplicate,
    Gap,
    Position,
    Rejected,
    Run,
    RunPart,
    Segment,
    Task,
)
from tests.benchmarks.workload import START, Workload
from tests.dashboard.ingest.picture import rows_in_tables, rows_of_fold, stored_records

EVENTS = "coord.run.task.events"
COMMANDS = "coord.run.task.commands"


def event(name: str, number: int, *, run: str = "run-1", task: str = "task-1", **more) -> NewRecord:
    return new_event(
        name,
        source=more.pop("source", "/test/agents/a/1"),
        time=START + number,
        id=more.pop("id", f"e-{number}"),
        run_id=run,
        task_id=task,
        **more,
    )


def requested(number: int, **more) -> NewRecord:
    return event("task.requested", number, data={"task_type": "write"}, target_group="writer", **more)


def test_tables_equal_one_fold_over_all_records(tables, append, drain):
    append(Workload(tasks=20, live_runs=3).records(1_500))
    assert drain()
    records = stored_records()
    assert len(records) == 1_500
    assert rows_in_tables() == rows_of_fold(records)


def test_what_comes_later_continues_where_it_stopped(tables, append, drain):
    workload = Workload(tasks=20, live_runs=3)
    for part in (700, 1, 299):
        append(workload.records(part))
        assert drain()
    assert sum(Position.objects.values_list("next_offset", flat=True)) == 1_000
    assert rows_in_tables() == rows_of_fold(stored_records())


def test_summaries_are_those_of_all_parts(tables, append, drain):
    append(Workload(tasks=30, live_runs=2).records(600))
    assert drain()
    for run in Run.objects.all():
        parts = [
            msgspec.json.decode(body)
            for body in RunPart.objects.filter(run_id=run.run_id).values_list("body", flat=True)
        ]
        assert run.events == sum(part.get("events", 0) for part in parts)
        assert run.total == sum(run.counts.values()) == Task.objects.filter(run_id=run.run_id).count()
        assert run.revision == sum(part["revision"] for part in parts)


def test_a_resent_event_is_kept_and_not_folded_again(tables, append, drain):
    records = [requested(1), event("task.started", 2), event("task.attempt.failed", 3)]
    append(records)
    assert drain()
    before = rows_in_tables()
    append([records[1], records[1], records[2]])
    assert drain()
    assert rows_in_tables() == before
    assert sorted(Duplicate.objects.values_list("offset", "of_offset")) == [(2, 0), (3, 0), (4, 1)]
    assert record_at(EVENTS, Duplicate.objects.first().partition, 2).value == records[1].value


def test_duplicates_within_one_batch_are_dropped_too(tables, append, drain):
    append([requested(1), event("task.started", 2), event("task.started", 2)])
    assert drain()
    assert Duplicate.objects.count() == 1
    assert Task.objects.get().attempt == 1


def test_the_same_id_of_another_source_is_another_event(tables, append, drain):
    append([requested(1), event("task.started", 2), event("task.progressed", 3, id="e-2", source="/b")])
    assert drain()
    assert Duplicate.objects.count() == 0
    assert Run.objects.get().events == 3


def test_a_record_that_is_no_event_is_kept_byte_for_byte_with_its_reason(tables, append, drain):
    headers = (("ce_id", b"\xff"), ("other", b"\x00\x01"))
    append([NewRecord(EVENTS, b"k\x00", b"\x00not json\xff", headers), requested(1)])
    assert drain()
    rejected = Rejected.objects.get()
    assert (rejected.stage, rejected.attribute) == ("envelope", "id")
    kept = record_at(rejected.topic, rejected.partition, rejected.offset)
    assert (kept.key, kept.value, kept.headers) == (b"k\x00", b"\x00not json\xff", headers)
    assert Task.objects.count() == 1


def test_a_dead_letter_is_a_row_of_its_own_and_changes_no_task(tables, append, drain):
    command = requested(1)
    append([command])
    assert drain()
    before = rows_in_tables()
    errors = (
        ("__dlq.errors.topic", COMMANDS.encode()),
        ("__dlq.errors.offset", b"0"),
        ("__dlq.errors.group", b"agent.w"),
    )
    letter = msgspec.structs.replace(command, topic="dlq.coord.run", headers=(*command.headers, *errors))
    append([letter, letter])
    assert drain()
    assert rows_in_tables() == before
    letters = list(DeadLetter.objects.order_by("offset"))
    assert [each.offset for each in letters] == [0, 1]
    assert (letters[0].task_id, letters[0].agent_group, letters[0].origin_offset) == ("task-1", "w", 0)
    assert record_at("dlq.coord.run", letters[0].partition, 0).headers == letter.headers


def test_an_unknown_type_is_stored(tables, append, drain):
    known = event("task.progressed", 1)
    headers = tuple((name, b"com.example.odd" if name == "ce_type" else value) for name, value in known.headers)
    append([msgspec.structs.replace(known, headers=headers, value=b'{"x":1}')])
    assert drain()
    assert Run.objects.get().events == 1
    assert stored_records()[0].value == b'{"x":1}'


def test_an_event_that_cannot_be_folded_is_rejected_and_the_others_go_on(tables, append, drain, monkeypatch):
    fold = rowwriting.fold

    def fragile(rows, events):
        if any(each.id == "e-13" for each in events):
            raise ZeroDivisionError("thirteen")
        return fold(rows, events)

    monkeypatch.setattr(rowwriting, "fold", fragile)
    append([requested(number, task=f"task-{number}") for number in range(1, 31)])
    assert drain()
    assert Task.objects.count() == 29
    rejected = Rejected.objects.get()
    assert (rejected.stage, rejected.reason) == ("fold", "ZeroDivisionError: thirteen")


def test_text_that_the_database_cannot_hold_is_shown_with_a_mark(tables, append, drain):
    append([event("task.requested", 1, data={"task_type": "a\0b", "title": "nul \0 here"}, target_group="w")])
    assert drain()
    task = Task.objects.get()
    assert task.title in ("nul \0 here", "nul \N{REPLACEMENT CHARACTER} here")
    assert msgspec.json.decode(task.body)["title"] == "nul \0 here"


def test_a_truncated_topic_stops_its_shard_only_and_says_so(tables, log, append, drain):
    workload = Workload(tasks=20, live_runs=3)
    append(workload.records(300))
    assert drain()
    append(workload.records(300))
    lost = next(p for p in _partitions(log) if _unread(log, p) >= 2)
    log.truncate(lost, asyncio.run(log.ends([lost]))[lost].high - 1)
    assert not drain()
    gap = Gap.objects.get()
    assert (gap.kind, gap.topic, gap.partition) == ("truncated", *lost)
    assert "deleted before they were read" in gap.message
    others = Position.objects.exclude(shard=gap.shard)
    assert all(_unread(log, TopicPartition(row.topic, row.partition)) == 0 for row in others)

    assert gaps.accept(gap, "ana")
    assert not gaps.accept(gap, "ben")
    assert drain()
    assert rows_in_tables() == rows_of_fold(stored_records())


def test_a_topic_made_anew_stops_its_shards_until_accepted(tables, log, append, drain):
    append([requested(1), event("task.started", 2)])
    assert drain()
    asyncio.run(log.delete_topic(EVENTS))
    asyncio.run(log.create_topics([TopicSpec(EVENTS, 12)]))
    append([event("task.completed", 3)])
    assert not drain()
    assert set(Gap.objects.values_list("kind", flat=True)) == {"recreated"}
    for gap in Gap.objects.all():
        gaps.accept(gap, "ana")
    assert drain()
    assert Task.objects.get().state == "completed"


def test_a_position_past_the_end_of_the_log_stops_with_words(tables, log, append, drain):
    append([requested(1)])
    assert drain()
    Position.objects.filter(next_offset=1).update(next_offset=5)
    assert not drain()
    assert Gap.objects.get().message == "The log ends 4 records before what was read already."


def test_offsets_that_hold_no_record_are_passed(tables, log, append, drain):
    append([requested(1)])
    log.open_transaction([event("task.started", 2)]).abort()
    append([event("task.progressed", 3)])
    log.open_transaction([event("task.completed", 4)]).abort()
    assert drain()
    assert Run.objects.get().events == 2


def test_more_partitions_move_a_topic_to_new_shards_without_loss(tables, log, append, drain):
    append([requested(number, task=f"task-{number}") for number in range(20)])
    assert drain()
    _grow(log, COMMANDS, 24)
    append([requested(number, task=f"task-{number}") for number in range(20, 60)])
    assert drain()
    assert Task.objects.count() == 60
    assert set(Position.objects.filter(topic=COMMANDS).values_list("shard", flat=True)) == {
        f"24-{number}" for number in range(24)
    }


def test_segments_hold_what_was_read_and_say_of_when(tables, append, drain):
    append(Workload(tasks=20, live_runs=3).records(500))
    assert drain()
    assert sum(Segment.objects.values_list("records", flat=True)) == 500
    assert all(segment.first_at <= segment.last_at for segment in Segment.objects.all())


def _partitions(log: MemoryLog) -> list[TopicPartition]:
    return [TopicPartition(EVENTS, number) for number in range(12)]


def _unread(log: MemoryLog, partition: TopicPartition) -> int:
    row = Position.objects.filter(topic=partition.topic, partition=partition.partition).first()
    ends = asyncio.run(log.ends([partition])).get(partition)
    return (ends.stable - (row.next_offset if row else ends.begin)) if ends else 0


def _grow(log: MemoryLog, topic: str, partitions: int) -> None:
    """Give a topic more partitions, as an administrator of a broker can; the log in memory has no call for it."""
    store = log.source
    known = store.topics[topic]
    known.partitions.extend(Partition(next(store._identities), 0) for _ in range(partitions - len(known.partitions)))
    known.info = msgspec.structs.replace(known.info, partitions=partitions)
    store.changed(known.partitions)
