"""The shared idempotent producer: what it acknowledges stands in the log once, in order, on all in-sync replicas.

aiokafka retries an idempotent send without end, and giving up waiting does not take it back. So an append that
runs out of time is of *unknown outcome*: it may still be written when the broker returns. Later appends to that
partition wait for it first, so that an outage does not pile up copies of what callers try again.
A batch the broker refuses leaves a hole in the producer's numbering, after which it would refuse every later one:
such a producer is replaced.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from coordination.errors import LogUnreachable
from coordination.eventlog import Appended, NewRecord, TopicPartition
from coordination.kafkalog.batches import BATCH_BYTES, Sending, acknowledged, look_at, place, send
from coordination.kafkalog.client import AIOKafkaProducer
from coordination.kafkalog.connection import Connection
from coordination.kafkalog.lifecycle import Endings, end_producer, start
from coordination.kafkalog.refusal import refusal
from coordination.partitioner import Placement

PRODUCER = {"enable_idempotence": True, "max_batch_size": BATCH_BYTES, "max_request_size": 4 << 20}


class Appender:
    """Appends with one producer for all callers of a log; made when it is first needed."""

    def __init__(self, connection: Connection, placement: Placement, endings: Endings) -> None:
        self._connection = connection
        self._placement = placement
        self._endings = endings
        self._producer: Any = None
        self._opening = asyncio.Lock()
        self._given_up: dict[TopicPartition, set[asyncio.Future[Any]]] = {}

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See EventLog.append. Raises LogUnreachable (outcome unknown), UnknownTopic, LogDenied, RecordTooLarge."""
        topics = ", ".join(sorted({record.topic for record in records}))
        sending = Sending(records)
        try:
            with self._connection.outage.watching():
                async with asyncio.timeout(self._connection.address.timeout):
                    await self._append(sending)
        except TimeoutError as error:
            raise self._unknown(sending, topics) from error
        except Exception as error:
            raise refusal(error, f"append to {topics}") from error
        finally:
            self._give_up(sending)
        self._connection.outage.answered()
        return sending.appended()

    async def close(self) -> None:
        """End the producer; what it has not sent within the time limit is given up."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await end_producer(producer, self._connection.address.timeout)

    async def _append(self, sending: Sending) -> None:
        producer = await self._started()
        placed = await place(self._connection, producer, self._placement, sending.records)
        await self._wait_for_given_up(placed)
        try:
            await send(producer, sending, placed)
            await acknowledged(self._connection, producer, sending)
        except Exception:
            self._replace(producer, sending.unfinished())
            raise

    async def _started(self) -> Any:
        async with self._opening:
            if self._producer is None:
                options = self._connection.address.options() | PRODUCER
                self._producer = await start(
                    self._connection, lambda: AIOKafkaProducer(**options), "open a producer for a topic"
                )
            return self._producer

    async def _wait_for_given_up(self, partitions: Iterable[TopicPartition]) -> None:
        earlier = {future for partition in partitions for future in self._given_up.get(partition, ())}
        if earlier:
            await asyncio.wait(earlier)

    def _unknown(self, sending: Sending, topics: str) -> LogUnreachable:
        address = self._connection.address
        what = f"Kafka at {address} did not acknowledge an append to {topics} within {address.timeout:g} s"
        if not sending.parts:
            return LogUnreachable(f"{what}; nothing was sent.")
        return LogUnreachable(f"{what}: the outcome is unknown, the records may still be written; read back.")

    def _give_up(self, sending: Sending) -> None:
        for future, partition, _ in sending.parts:
            if not future.done():
                waiting = self._given_up.setdefault(partition, set())
                waiting.add(future)
                future.add_done_callback(partial(_forget, waiting))

    def _replace(self, producer: Any, hopeless: set[TopicPartition]) -> None:
        if self._producer is producer:
            self._producer, self._given_up = None, {}
            self._endings.begin(producer, self._connection.address.timeout, hopeless)


def _forget(waiting: set[asyncio.Future[Any]], done: asyncio.Future[Any]) -> None:
    waiting.discard(done)
    look_at(done)
