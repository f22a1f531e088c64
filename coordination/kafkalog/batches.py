"""Records on their way out: placed on partitions, packed into batches, handed to a producer, awaited together.

Each partition's records go out in their order. A lone record of a partition is sent singly, so that concurrent
appends share a batch; two or more are packed here, which is twice as fast.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from coordination.errors import LogDenied, LogUnreachable
from coordination.eventlog import Appended, NewRecord, TopicPartition
from coordination.kafkalog.connection import Connection
from coordination.partitioner import Placement

# Larger batches than this gain nothing, and a topic may have a max.message.bytes not far above it.
BATCH_BYTES = 64 * 1024
# After so long without an acknowledgement it is asked whether the topic still exists.
DOUBT_SECONDS = 1.0

Placed = dict[TopicPartition, list[int]]


class Sending:
    """Records handed to a producer: one future per batch or lone record; `appended` once all are done."""

    def __init__(self, records: Sequence[NewRecord]) -> None:
        self.records = records
        self.stamp = time.time_ns() // 1_000_000
        self.parts: list[tuple[asyncio.Future[Any], TopicPartition, Sequence[int]]] = []

    @property
    def futures(self) -> list[asyncio.Future[Any]]:
        """What to wait for."""
        return [future for future, _, _ in self.parts]

    def disown(self) -> None:
        """Nobody waits for these any more: how they end is not worth asyncio's complaint that nobody looked."""
        for future in self.futures:
            future.add_done_callback(look_at)

    def unfinished(self) -> set[TopicPartition]:
        """Partitions that have not acknowledged everything."""
        return {partition for future, partition, _ in self.parts if not future.done()}

    def failure(self) -> BaseException | None:
        """The first failure among the finished ones; all of them count as looked at."""
        ended = [future for future in self.futures if future.done() and not future.cancelled()]
        return next(filter(None, [future.exception() for future in ended]), None)

    def appended(self) -> list[Appended]:
        """Where each record stands, in the order given."""
        placed: dict[int, Appended] = {}
        for future, (topic, partition), indexes in self.parts:
            at = future.result()
            # Without append time the broker repeats no timestamp; then the record has the one we gave it.
            stamp = at.timestamp if at.timestamp_type == 1 and at.timestamp >= 0 else self.stamp
            for step, index in enumerate(indexes):
                placed[index] = Appended(topic, partition, at.offset + step, stamp)
        return [placed[index] for index in range(len(self.records))]


def look_at(future: asyncio.Future[Any]) -> None:
    """Take note of a future's error, so that asyncio does not report it as never looked at."""
    if future.done() and not future.cancelled():
        future.exception()


async def place(connection: Connection, producer: Any, placement: Placement, records: Sequence[NewRecord]) -> Placed:
    """Indexes of the records per partition. Raises UnknownTopic before anything is sent."""
    counts = await _counts(connection, producer, {record.topic for record in records})
    placed: Placed = {}
    for index, number in enumerate(placement.place(records, counts)):
        placed.setdefault(TopicPartition(records[index].topic, number), []).append(index)
    return placed


async def _counts(connection: Connection, producer: Any, topics: set[str]) -> Mapping[str, int]:
    cluster = producer.client.cluster
    if unseen := {topic for topic in topics if cluster.partitions_for_topic(topic) is None}:
        await connection.partition_counts(unseen)  # aiokafka would wait long for a topic that does not exist
        for topic in unseen:
            await producer.partitions_for(topic)
    return {topic: len(cluster.partitions_for_topic(topic)) for topic in topics}


async def send(producer: Any, sending: Sending, placed: Placed) -> None:
    """Hand everything to the producer. It returns before the broker has acknowledged; see `sending.futures`."""
    lone = {partition: indexes for partition, indexes in placed.items() if _is_lone(sending, indexes)}
    for partition, indexes in lone.items():
        await _send_one(producer, sending, partition, indexes[0])
    many = [(partition, indexes) for partition, indexes in placed.items() if partition not in lone]
    if many:
        await asyncio.gather(*(_send_batches(producer, sending, *part) for part in many))


def _is_lone(sending: Sending, indexes: Sequence[int]) -> bool:
    record = sending.records[indexes[0]]
    return len(indexes) == 1 and (record.key is not None or record.value is not None)


async def _send_one(producer: Any, sending: Sending, partition: TopicPartition, index: int) -> None:
    record = sending.records[index]
    future = await producer.send(
        *(partition.topic, record.value, record.key, partition.partition, sending.stamp, list(record.headers))
    )
    sending.parts.append((future, partition, (index,)))


async def _send_batches(producer: Any, sending: Sending, partition: TopicPartition, indexes: Sequence[int]) -> None:
    start = 0
    while start < len(indexes):
        batch = producer.create_batch()
        end = start
        while end < len(indexes) and _packed(batch, sending, indexes[end]):
            end += 1
        batch.close()
        future = await producer.send_batch(batch, partition.topic, partition=partition.partition)
        sending.parts.append((future, partition, indexes[start:end]))
        start = end


def _packed(batch: Any, sending: Sending, index: int) -> bool:
    record = sending.records[index]
    stamped = {"timestamp": sending.stamp, "key": record.key, "value": record.value}
    return batch.append(**stamped, headers=list(record.headers)) is not None


async def acknowledged(connection: Connection, producer: Any, sending: Sending) -> None:
    """Wait until the broker has acknowledged everything. Raises what it refused with, and UnknownTopic.

    aiokafka tries again and again to send to a topic that was deleted meanwhile; its metadata know better.
    """
    known = producer.client.cluster.partitions_for_topic
    waiting = set(sending.futures)
    while waiting:
        _, waiting = await asyncio.wait(waiting, timeout=DOUBT_SECONDS)
        if (failure := sending.failure()) is not None:
            raise failure
        if gone := {topic for topic, _ in sending.unfinished() if known(topic) is None}:
            with suppress(LogUnreachable, LogDenied):
                await connection.partition_counts(gone)
