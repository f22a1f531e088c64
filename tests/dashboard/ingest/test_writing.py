"""One transaction: all of a batch or nothing, by the owner of its shards only, and never over somebody else's rows."""

import pytest
from django.db import IntegrityError

from coordination.encoding import new_event
from coordination.eventlog import StoredRecord, TopicPartition
from coordination.manifest import Manifest
from coordination.partitioner import partition_for
from coordination.rows import Layout
from dashboard.events import identity
from dashboard.ingest.sorting import Sorter
from dashboard.ingest.store import Advance, Conflict
from dashboard.ingest.working import WorkingSet
from dashboard.ingest.writing import BatchWriter, Fenced, Reading, Written
from dashboard.models import Batch, EventKey, Position, Run, RunPart, Segment, Shard, Stretch, Task
from dashboard.runtime import make_store
from tests.benchmarks.workload import START
from tests.dashboard.ingest.picture import rows_in_tables, rows_of_fold, stored_records

TOOLS, EVENTS, COMMANDS = "coord.run.tool.events", "coord.run.task.events", "coord.run.task.commands"
# Tool events have six partitions here, so a task's row is written from two shards.
LAYOUT = Layout(partitions={TOOLS: 6})


class Hand:
    """One worker's writing half, fed by hand. All share `offsets`: where each partition ends."""

    def __init__(self, offsets: dict[TopicPartition, int]) -> None:
        self.store = make_store()
        self.working = WorkingSet(self.store, LAYOUT)
        self.writer = BatchWriter(self.store, self.working, identity, "hand", lambda: START)
        self.writer.rows.owned = frozenset()
        self.writer.prepare()
        self.sorter = Sorter(Manifest(), lambda: START)
        self.offsets = offsets

    def reading(self, *names: str, task: str = "task-1", epoch: int = 1) -> Reading:
        """A batch of one event per name, of one task."""
        records = [self._record(name, task) for name in names]
        batch = self.sorter.sort(records)
        advances = [
            Advance(one, self.offsets.get(one, 0), span.last + 1, span.count, span.last_timestamp * 1000)
            for one, span in batch.spans.items()
        ]
        for one, span in batch.spans.items():
            Position.objects.get_or_create(
                topic=one.topic, partition=one.partition, defaults={"shard": LAYOUT.shard(*one)}
            )
            Shard.objects.get_or_create(shard=LAYOUT.shard(*one), defaults={"epoch": 1})
            self.offsets[one] = span.last + 1
        return Reading(batch, advances, {LAYOUT.shard(*one): epoch for one in batch.spans})

    def _record(self, name: str, task: str) -> StoredRecord:
        data = {
            "task.requested": {"task_type": "write"},
            "tool.call.completed": {"tool_call_id": f"call-{len(self.offsets)}-{self.offsets.get('n', 0)}"},
        }.get(name, {})
        number = self.offsets["n"] = self.offsets.get("n", 0) + 1
        new = new_event(
            name, source="/a", time=START + number, id=f"e-{number}", run_id="run-1", task_id=task, data=data
        )
        partition = TopicPartition(new.topic, partition_for(new.key, LAYOUT.partitions(new.topic)))
        pending = self.offsets.setdefault(("next", partition), self.offsets.get(partition, 0))
        self.offsets["next", partition] = pending + 1
        return StoredRecord(new.topic, partition.partition, pending, START // 1000, 1, new.key, new.value, new.headers)


def counts() -> list[int]:
    """How many rows each table has."""
    tables = (Task, RunPart, Run, Segment, Stretch, EventKey, Batch)
    return [table.objects.count() for table in tables] + sorted(Position.objects.values_list("next_offset", flat=True))


@pytest.fixture
def offsets() -> dict:
    return {}


@pytest.fixture
def hand(tables, offsets) -> Hand:
    return Hand(offsets)


def test_an_older_epoch_writes_nothing(hand):
    hand.writer.write(hand.reading("task.requested"))
    reading = hand.reading("task.started")
    before = counts()
    Shard.objects.update(epoch=2, owner="other")
    with pytest.raises(Fenced) as refusal:
        hand.writer.write(reading)
    assert refusal.value.shards == set(reading.leases)
    assert counts() == before


def test_a_shard_that_is_gone_is_not_ours(hand):
    reading = hand.reading("task.requested")
    Shard.objects.all().delete()
    with pytest.raises(Fenced):
        hand.writer.write(reading)


def test_a_position_that_somebody_moved_stops_the_whole_batch(hand):
    hand.writer.write(hand.reading("task.requested"))
    reading = hand.reading("task.started", "task.progressed")
    Position.objects.filter(topic=EVENTS).update(next_offset=1)
    before = counts()
    with pytest.raises(Conflict):
        hand.writer.write(reading)
    assert counts() == before


def test_rows_that_somebody_else_wrote_are_never_overwritten(hand, offsets):
    other = Hand(offsets)
    hand.writer.write(hand.reading("task.requested", "task.started"))
    other.writer.write(other.reading("tool.call.completed"))
    with pytest.raises(Conflict):
        hand.writer.write(reading := hand.reading("task.completed"))
    hand.working.forget()
    hand.writer.write(reading, lock=True)
    task = rows_in_tables()["dashboard_task", ("run-1", "task-1")]
    assert (task.state, task.tool_calls) == ("completed", 1)


def test_a_row_that_somebody_else_made_meanwhile_is_a_conflict_too(hand, offsets):
    other = Hand(offsets)
    reading = hand.reading("task.requested")
    hand.working.load_for(reading.batch.events, lock=False)
    other.writer.write(other.reading("tool.call.completed"))
    hand.working.load_for = lambda events, lock: None
    with pytest.raises(Conflict):
        hand.writer.write(reading)
    assert not Task.objects.filter(state="requested").exists()


def test_a_failure_at_the_very_end_leaves_nothing_behind(hand, monkeypatch):
    hand.writer.write(hand.reading("task.requested"))
    reading, advance = hand.reading("task.started", "tool.call.completed"), hand.store.advance
    before = counts()

    def broken(positions):
        advance(positions)
        raise IntegrityError("at the very end")

    monkeypatch.setattr(hand.store, "advance", broken)
    with pytest.raises(IntegrityError):
        hand.writer.write(reading)
    assert counts() == before
    monkeypatch.undo()
    hand.working.forget()
    hand.writer.write(reading)
    assert Task.objects.get().state == "working"


def test_what_is_in_memory_and_what_is_in_the_tables_is_the_same(hand):
    for names in (["task.requested"], ["task.started", "tool.call.completed"], ["task.paused"], ["task.resumed"]):
        hand.writer.write(hand.reading(*names))
    in_memory = hand.working.rows.tasks["run-1", "task-1"]
    revision, in_memory.revision = in_memory.revision, 0
    assert rows_in_tables()["dashboard_task", ("run-1", "task-1")] == in_memory
    assert Task.objects.get().revision == revision == 4


def test_what_was_written_is_told(hand):
    written = hand.writer.write(hand.reading("task.requested", "task.started"))
    assert isinstance(written, Written)
    assert (written.events, written.duplicates, written.rejections) == (2, 0, 0)
    assert written.touched.tasks == {("run-1", "task-1")}
    assert set(written.runs) == {"run-1"}


def test_forgetting_everything_between_batches_changes_nothing(hand):
    for number in range(30):
        hand.working.forget()
        hand.writer.write(hand.reading("task.requested", "tool.call.completed", task=f"task-{number % 7}"))
    records = stored_records()
    rows = rows_of_fold(records)
    tasks = {key: row for key, row in rows_in_tables().items() if key[0] == "dashboard_task"}
    assert {key for key in rows if key[0] == "dashboard_task"} == set(tasks)
    assert all(task.tool_calls >= 4 for _, task in tasks.items())
