"""Every record lands in exactly one place, whatever it holds."""

from hypothesis import given
from hypothesis import strategies as st

from coordination.encoding import new_event
from coordination.eventlog import StoredRecord, TopicPartition
from coordination.manifest import Manifest
from coordination.recordchain import record_digest
from dashboard.ingest.keys import event_key
from dashboard.ingest.sorting import Sorted, Sorter, Span
from dashboard.segments import unpack_one

EVENT = new_event("task.started", source="/a", time=1_790_000_000_000_000, id="e-1", run_id="r", task_id="t")
ANY = st.builds(
    StoredRecord,
    st.sampled_from(["coord.run.task.events", "dlq.coord.run", "elsewhere"]),
    st.integers(0, 11),
    st.integers(0, 99),
    st.integers(-1, 2**42),
    st.sampled_from([None, 0, 1]),
    st.none() | st.binary(max_size=9),
    st.none() | st.binary(max_size=40) | st.just(b"{}"),
    st.lists(
        st.tuples(st.sampled_from(["ce_id", "ce_source", "ce_type", "ce_time", "x"]), st.binary(max_size=20)),
        max_size=6,
    ).map(tuple),
)


def record(
    offset: int = 0, topic: str = "coord.run.task.events", partition: int = 0, timestamp: int = 5
) -> StoredRecord:
    return StoredRecord(topic, partition, offset, timestamp, 1, EVENT.key, EVENT.value, EVENT.headers)


@given(st.lists(ANY, max_size=10))
def test_nothing_is_lost_and_nothing_raises(records):
    batch = Sorter(Manifest(), lambda: 1_790_000_000_000_000).sort(records)
    assert len(batch.events) == len(batch.packed) == len(batch.keys)
    assert len(batch) == len(records) == sum(span.count for span in batch.spans.values())
    assert batch.records() == sorted(records, key=lambda each: (each.topic, each.partition, each.offset))


def test_events_keep_their_order_beside_their_bytes():
    batch = Sorter(Manifest(), lambda: 0).sort([record(3), record(4), record(5)])
    assert [event.offset for event in batch.events] == [unpack_one(each).offset for each in batch.packed] == [3, 4, 5]
    assert unpack_one(batch.packed[1]) == record(4)
    assert batch.keys == [event_key(event) for event in batch.events]


def test_a_batch_grows_chunk_by_chunk():
    sorter, batch = Sorter(Manifest(), lambda: 0), Sorted()
    sorter.sort([record(3), record(4)], batch)
    sorter.sort([record(5)], batch)
    assert [event.offset for event in batch.events] == [3, 4, 5]
    assert batch.spans == {
        TopicPartition("coord.run.task.events", 0): Span(3, 5, 3, 5, [record_digest(record(n)) for n in (3, 4, 5)])
    }


def test_dead_letters_of_every_class_are_set_aside():
    topics = ["dlq.coord.run", "dlq.coord.review", "dlq.coord.ops"]
    batch = Sorter(Manifest(), lambda: 0).sort([record(topic=topic) for topic in topics])
    assert [letter["topic"] for letter in batch.letters] == topics
    assert batch.events == []


def test_a_fault_of_our_own_rejects_one_record_only(monkeypatch):
    sorter = Sorter(Manifest(), lambda: 0)
    decode = sorter._decoder.decode

    def fragile(each, now):
        if each.offset == 1:
            raise ZeroDivisionError("ours")
        return decode(each, now=now)

    monkeypatch.setattr(sorter._decoder, "decode", fragile)
    batch = sorter.sort([record(0), record(1), record(2)])
    assert [event.offset for event in batch.events] == [0, 2]
    assert batch.rejections[0].reason == "ZeroDivisionError: ours"


def test_spans_say_what_was_read_of_each_partition():
    records = [record(3, partition=1, timestamp=7), record(9, partition=1, timestamp=8), record(0)]
    assert Sorter(Manifest(), lambda: 0).sort(records).spans == {
        TopicPartition("coord.run.task.events", 1): Span(3, 9, 2, 8, [record_digest(one) for one in records[:2]]),
        TopicPartition("coord.run.task.events", 0): Span(0, 0, 1, 5, [record_digest(records[2])]),
    }
