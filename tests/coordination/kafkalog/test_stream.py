"""Rules of taking records out of a consumer, on one that needs no broker."""

from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import TopicAuthorizationFailedError

from coordination.eventlog import StoredRecord, TopicPartition
from coordination.kafkalog.outage import Outage
from coordination.kafkalog.stream import CHUNK, Stream


class Consumer:
    """Empties one buffer after the other, as aiokafka does; an error stands in a buffer's place."""

    def __init__(self, buffers: dict[TopicPartition, Any]) -> None:
        self._fetcher = SimpleNamespace(_records=OrderedDict(buffers))
        self._subscription = SimpleNamespace(reassignment_in_progress=False)
        self.sizes: list[int] = []

    async def getmany(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        self.sizes.append(max_records)
        for partition, buffer in list(self._fetcher._records.items()):
            if isinstance(buffer, Exception):
                del self._fetcher._records[partition]
                raise buffer
            taken, rest = buffer[:max_records], buffer[max_records:]
            self._fetcher._records[partition] = rest
            if not rest:
                del self._fetcher._records[partition]
            return {partition: taken}
        return {}


def records(number: int, count: int, *, begin: int = 0, every: int = 0) -> list[StoredRecord]:
    """Records of a partition, appended from `begin` on, one `every` so many ms."""
    return [StoredRecord("t", number, offset, begin + offset * every, 1, b"", b"") for offset in range(count)]


def stream(buffers: dict[TopicPartition, Any]) -> Stream:
    return Stream(Consumer(buffers), Outage("nowhere"))


async def test_records_come_in_chunks_up_to_what_is_asked_for() -> None:
    taking = stream({TopicPartition("t", 0): records(0, 1000)})
    assert [record.offset for record in await taking.take(3 * CHUNK - 9, 1)] == list(range(3 * CHUNK - 9))
    assert taking.consumer.sizes == [CHUNK, CHUNK, CHUNK - 9]


async def test_partitions_of_the_same_age_take_turns() -> None:
    taking = stream({TopicPartition("t", number): records(number, 1000, every=1) for number in range(3)})
    taken = await taking.take(3 * CHUNK, 1)
    assert [sum(record.partition == number for record in taken) for number in range(3)] == [CHUNK] * 3


async def test_partitions_move_on_through_time_together() -> None:
    # The second one holds four records in the time in which the others hold one.
    rates = (8, 2, 8)
    taking = stream({TopicPartition("t", n): records(n, 9_000, every=rate) for n, rate in enumerate(rates)})
    taken = await taking.take(60 * CHUNK, 1)
    reached = [max(record.timestamp for record in taken if record.partition == number) for number in range(3)]
    assert max(reached) - min(reached) <= 2 * CHUNK * max(rates)


async def test_one_far_behind_does_not_hold_up_the_others_for_ever(monkeypatch) -> None:
    monkeypatch.setattr("coordination.kafkalog.stream.PATIENCE", 10)
    taking = stream({TopicPartition("t", 0): records(0, 9_000), TopicPartition("t", 1): records(1, 900, begin=10**6)})
    taken = await taking.take(30 * CHUNK, 1)
    assert [sum(record.partition == number for record in taken) // CHUNK for number in range(2)] == [27, 3]


async def test_what_was_taken_is_delivered_before_an_error_that_came_after_it() -> None:
    error = TopicAuthorizationFailedError("t")
    taking = stream({TopicPartition("t", 0): records(0, 5), TopicPartition("t", 1): error})
    assert len(await taking.take(100, 1)) == 5
    with pytest.raises(TopicAuthorizationFailedError):
        await taking.take(100, 1)
    assert await taking.take(100, 0) == []


async def test_nothing_is_fetched_when_nothing_is_asked_for() -> None:
    taking = stream({TopicPartition("t", 0): records(0, 5)})
    assert await taking.take(0, 1) == []
    assert taking.consumer.sizes == []


async def test_no_more_is_taken_once_a_rebalance_has_begun() -> None:
    taking = stream({TopicPartition("t", 0): records(0, 1000)})
    taking.consumer._subscription.reassignment_in_progress = True
    assert len(await taking.take(1000, 1)) == CHUNK
