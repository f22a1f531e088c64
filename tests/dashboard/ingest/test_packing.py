"""Packed records are found as before: by run, by task, by position; and nothing is packed under a rebuild."""

import pytest

from coordination.eventlog import NewRecord
from coordination.partitioner import partition_for
from dashboard import packing
from dashboard.clock import database_now
from dashboard.events import events_of_run, record_at
from dashboard.ingest import reading
from dashboard.models import Batch, Run, Segment, Shard, Stretch
from dashboard.packing import Packing
from tests.benchmarks.workload import Workload
from tests.dashboard.ingest.picture import stored_records


@pytest.fixture
def small(monkeypatch):
    """So few records are enough for a packed batch."""
    monkeypatch.setattr(packing, "ENOUGH", 100)
    monkeypatch.setattr(packing, "SMALL", 40)
    monkeypatch.setattr(reading, "TICK", 0.0)


@pytest.fixture
def live(tables, append, drain, small, monkeypatch) -> None:
    """Some thirty small batches, a record that is no event among them, and one large batch in between."""
    workload = Workload(tasks=10, live_runs=3)
    for size, records in ((8, 150), (500, 120), (8, 130)):
        monkeypatch.setattr(reading, "LIVE", size)
        monkeypatch.setattr(reading, "BEHIND", size)
        append([*workload.records(records // 2), NewRecord("coord.run.task.events", b"task", b"{}", ())])
        append(workload.records(records // 2))
        assert drain()


def everything() -> dict:
    """All stored records by run, with where each is found."""
    return {
        "runs": {run: events_of_run(run) for run in sorted(Run.objects.values_list("run_id", flat=True))},
        "records": sorted(stored_records(), key=lambda each: (each.topic, each.partition, each.offset)),
        "places": [record_at(each.topic, each.partition, each.offset) for each in stored_records()],
    }


def test_what_is_read_is_the_same_before_and_after(live):
    before, batches = everything(), Batch.objects.count()
    places = {(each.topic, each.partition, each.offset): each for each in before["places"]}
    assert Packing().pack(settled=0) > 10
    after = everything()
    assert after["runs"] == before["runs"]
    assert after["records"] == before["records"]
    assert {(each.topic, each.partition, each.offset): each for each in after["places"]} == places
    assert Batch.objects.count() < batches / 2
    assert sum(Batch.objects.values_list("records", flat=True)) == len(before["records"])


def test_segments_and_stretches_become_fewer(live):
    before = Segment.objects.count(), Stretch.objects.count()
    Packing().pack(settled=0)
    after = Segment.objects.count(), Stretch.objects.count()
    assert after[0] < before[0] * 0.6
    assert after[1] < before[1]


def test_a_rejected_record_between_packed_ones_is_still_found(live):
    Packing().pack(settled=0)
    assert record_at("coord.run.task.events", partition_for(b"task", 12), 0) is not None


def test_packing_again_finds_nothing_to_do(live):
    one = Packing()
    assert one.pack(settled=0)
    assert one.pack(settled=0) == 0
    assert Packing().pack(settled=0) == 0


def test_ingest_goes_on_after_packing(live, append, drain):
    Packing().pack(settled=0)
    append(Workload(seed=9, tasks=5, live_runs=1).records(30))
    assert drain()
    records = stored_records()
    assert len({(each.topic, each.partition, each.offset) for each in records}) == len(records)


def test_young_batches_are_left_alone(live):
    assert Packing().pack() == 0


def test_nothing_is_packed_while_a_rebuild_runs_and_it_is_made_up_for_later(live):
    lease = {"role": "rebuild", "owner": "w", "lease_until": database_now() + 10**7}
    Shard.objects.create(shard="rebuild", **lease)
    one = Packing()
    assert one.pack(settled=0) == 0
    Shard.objects.filter(shard="rebuild").update(owner="", lease_until=0)
    assert one.pack(settled=0) > 10


def test_a_stretch_of_another_batch_in_between_leaves_everything_as_it_was(live):
    before = everything()
    row = Stretch.objects.filter(batch_id=Batch.objects.order_by("id")[2].id).first()
    Stretch.objects.filter(topic=row.topic, partition=row.partition, first_offset=row.first_offset).update(
        batch_id=10**6
    )
    count = Segment.objects.count()
    Packing().pack(settled=0, seconds=0)
    assert Segment.objects.count() == count
    assert everything()["runs"] == before["runs"]
