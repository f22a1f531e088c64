"""Rules of packing records, on a producer that needs no broker."""

import asyncio
from types import SimpleNamespace
from typing import Any

from coordination.eventlog import NewRecord, TopicPartition
from coordination.kafkalog import batches as module
from coordination.kafkalog.batches import Sending, send


class Batch:
    """Takes three records."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []

    def append(self, **record: Any) -> object | None:
        if len(self.taken) == 3:
            return None
        self.taken.append(record)
        return object()

    def close(self) -> None:
        pass


class Producer:
    """Writes every batch at once, partition by partition."""

    def __init__(self, stamped: bool = True) -> None:
        self.stamped = stamped
        self.ends: dict[tuple[str, int], int] = {}
        self.sent: list[tuple[str, int, list[bytes | None]]] = []

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, partition: int) -> asyncio.Future[Any]:
        return self._written(topic, partition, [record["value"] for record in batch.taken])

    async def send(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int, *_: object
    ) -> asyncio.Future[Any]:
        return self._written(topic, partition, [value])

    def _written(self, topic: str, partition: int, values: list[bytes | None]) -> asyncio.Future[Any]:
        self.sent.append((topic, partition, values))
        offset = self.ends.get((topic, partition), 0)
        self.ends[topic, partition] = offset + len(values)
        future = asyncio.get_running_loop().create_future()
        stamp = {"timestamp": 99, "timestamp_type": 1} if self.stamped else {"timestamp": -1, "timestamp_type": 0}
        future.set_result(SimpleNamespace(offset=offset, **stamp))
        return future


def mixed() -> tuple[list[NewRecord], module.Placed]:
    records = [NewRecord("a", b"k", b"%d" % number) for number in range(7)] + [NewRecord("b", b"k", b"lone")]
    return records, {
        TopicPartition("a", 0): [0, 1, 3, 4, 5],
        TopicPartition("a", 1): [2, 6],
        TopicPartition("b", 0): [7],
    }


async def test_every_partition_keeps_the_order_given_over_all_its_batches() -> None:
    records, placed = mixed()
    producer, sending = Producer(), Sending(records)
    await send(producer, sending, placed)
    assert [values for topic, number, values in producer.sent if (topic, number) == ("a", 0)] == [
        [b"0", b"1", b"3"],
        [b"4", b"5"],
    ]


async def test_positions_come_back_in_the_order_given() -> None:
    records, placed = mixed()
    sending = Sending(records)
    await send(Producer(), sending, placed)
    at = [(where.topic, where.partition, where.offset, where.timestamp) for where in sending.appended()]
    assert at == [
        *(("a", 0, 0, 99), ("a", 0, 1, 99), ("a", 1, 0, 99), ("a", 0, 2, 99)),
        *(("a", 0, 3, 99), ("a", 0, 4, 99), ("a", 1, 1, 99), ("b", 0, 0, 99)),
    ]


async def test_without_append_time_the_timestamp_is_the_one_given() -> None:
    records, placed = mixed()
    sending = Sending(records)
    await send(Producer(stamped=False), sending, placed)
    assert {where.timestamp for where in sending.appended()} == {sending.stamp}


async def test_a_record_without_key_and_value_is_packed_since_the_client_refuses_to_send_it_singly() -> None:
    producer, sending = Producer(), Sending([NewRecord("a", None, None)])
    producer.send = None  # type: ignore[method-assign,assignment]
    await send(producer, sending, {TopicPartition("a", 0): [0]})
    assert producer.sent == [("a", 0, [None])]


async def test_the_first_failure_counts_and_all_are_looked_at() -> None:
    sending = Sending([])
    loop = asyncio.get_running_loop()
    for error in (None, ValueError("first"), ValueError("second")):
        future = loop.create_future()
        future.set_exception(error) if error else future.set_result(None)
        sending.parts.append((future, TopicPartition("a", 0), (0,)))
    sending.parts.append((loop.create_future(), TopicPartition("a", 1), (0,)))
    assert str(sending.failure()) == "first"
    assert sending.unfinished() == {TopicPartition("a", 1)}
