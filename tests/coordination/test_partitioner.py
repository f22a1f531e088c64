"""Rules of the partitioner, against the vectors of Kafka's own UtilsTest and against another client."""

import pytest
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from coordination.errors import UnknownTopic
from coordination.eventlog import NewRecord
from coordination.partitioner import Placement, murmur2, partition_for

VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "expected"), VECTORS.items())
def test_murmur2_equals_the_vectors_of_kafka(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected


@given(st.binary(max_size=200))
def test_murmur2_equals_another_client_for_any_bytes(key: bytes) -> None:
    assert murmur2(key) & 0xFFFFFFFF == murmur2_of_aiokafka(key) & 0xFFFFFFFF


@given(st.binary(max_size=64), st.integers(1, 64))
def test_a_key_always_has_the_same_partition_within_range(key: bytes, partitions: int) -> None:
    chosen = partition_for(key, partitions)
    assert 0 <= chosen < partitions
    assert chosen == (murmur2(key) & 0x7FFFFFFF) % partitions


def test_keys_spread_over_all_partitions() -> None:
    counts = [0] * 12
    for number in range(12_000):
        counts[partition_for(b"task-%d" % number, 12)] += 1
    assert min(counts) > 800
    assert max(counts) < 1200


def placed(*records: NewRecord) -> list[int]:
    return Placement().place(records, {"t": 12, "u": 3})


def test_records_without_a_key_go_round_robin() -> None:
    assert placed(*[NewRecord("u", None, b"")] * 6) == [0, 1, 2, 0, 1, 2]


def test_an_asked_for_partition_wins_over_the_key() -> None:
    assert placed(NewRecord("t", b"foobar", b"", partition=7)) == [7]


def test_an_empty_key_is_a_key() -> None:
    assert placed(*[NewRecord("t", b"", b"")] * 3) == [partition_for(b"", 12)] * 3


@pytest.mark.parametrize("record", [NewRecord("x", b"k", b""), NewRecord("u", b"k", b"", partition=3)])
def test_a_topic_or_partition_that_does_not_exist_is_named(record: NewRecord) -> None:
    with pytest.raises(UnknownTopic, match=record.topic):
        placed(NewRecord("t", b"k", b""), record)
