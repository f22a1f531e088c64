"""Reads assigned partitions from given positions, committed records only.

When a broker goes away, aiokafka goes on by itself as soon as it is back and says nothing in between. So the
reader listens for silence: an empty read after `address.timeout` seconds without an answer is LogUnreachable.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from coordination.errors import CoordinationError, LogUnreachable, OffsetOutOfRange, UnknownTopic
from coordination.eventlog import Record, TopicPartition
from coordination.kafkalog import client as kafka
from coordination.kafkalog.connection import Connection
from coordination.kafkalog.lifecycle import end_consumer, start
from coordination.kafkalog.offsets import ends
from coordination.kafkalog.refusal import refusal
from coordination.kafkalog.stream import OPTIONS, Stream

# Brokers answer an idle fetch twice a second.
PROMPT_SECONDS = 3.0


async def open_reader(connection: Connection, positions: Mapping[TopicPartition, int]) -> "KafkaReader":
    """A reader of these partitions from these positions. Raises UnknownTopic, LogDenied, LogUnreachable."""
    await _check_partitions(connection, positions)
    options = connection.address.options() | OPTIONS | {"auto_offset_reset": "none"}
    consumer = await start(connection, lambda: kafka.AIOKafkaConsumer(**options), "open a reader")
    with connection.outage.watching():
        consumer.assign([kafka.TopicPartition(*partition) for partition in positions])
    for partition, offset in positions.items():
        consumer.seek(kafka.TopicPartition(*partition), offset)
    return KafkaReader(connection, consumer, tuple(positions))


class KafkaReader:
    """See coordination.eventlog.Reader."""

    def __init__(self, connection: Connection, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        self.closed = False
        self._connection = connection
        self._consumer = consumer
        self._partitions = partitions
        self._stream = Stream(consumer, connection.outage)

    @property
    def reachable(self) -> bool:
        """Whether the brokers of all partitions have answered within the last three seconds."""
        return not self._stream.silent(self._partitions, PROMPT_SECONDS)

    async def read(self, max_records: int, timeout: float) -> Sequence[Record]:
        """See Reader.read. After an error the reader stands where it stood and may be asked again."""
        try:
            records = await self._stream.take(max_records, timeout)
        except kafka.kafka_errors.OffsetOutOfRangeError as error:
            raise await self._out_of_range(error) from error
        except (kafka.kafka_errors.KafkaError, kafka.kafka_errors.ConsumerStoppedError) as error:
            raise refusal(error, "read") from error
        if records:
            self._connection.outage.answered()
        else:
            await self._check_silence()
        return records

    def positions(self) -> Mapping[TopicPartition, int]:
        """See Reader.positions."""
        return self._stream.positions()

    async def seek(self, partition: TopicPartition, offset: int) -> None:
        """See Reader.seek. Raises UnknownTopic for a partition this reader does not read."""
        if partition not in self._partitions:
            raise UnknownTopic(f"This reader does not read {partition.topic}[{partition.partition}].")
        self._consumer.seek(kafka.TopicPartition(*partition), offset)
        self._stream.forget([partition])

    async def close(self) -> None:
        """End the reader; a second call does nothing."""
        self.closed = True
        with self._connection.outage.watching():
            await end_consumer(self._consumer, self._connection.address.timeout)

    async def _check_silence(self) -> None:
        if not (quiet := self._stream.silent(self._partitions, PROMPT_SECONDS)):
            self._connection.outage.answered()
            return
        unknown = [at for at in quiet if self._consumer.partitions_for_topic(at.topic) is None]
        if unknown:  # either deleted, or the metadata of this client is behind: ask
            await self._connection.partition_counts(topic for topic, _ in unknown)
        patience = self._connection.address.timeout
        if silent := self._stream.silent(self._partitions, patience):
            cause = self._connection.outage.cause or "no answer"
            raise LogUnreachable(
                f"Kafka at {self._connection.address} has not answered for {_named(silent)} for more than "
                f"{patience:g} s ({cause}). Reading goes on by itself when it does."
            )

    async def _out_of_range(self, error: Any) -> OffsetOutOfRange:
        asked = {TopicPartition(*partition): offset for partition, offset in error.args[0].items()}
        try:
            kept = await ends(self._connection, list(asked))
        except CoordinationError:
            kept = {}
        parts = [
            f"offset {offset} of {_named([at])} is not in the log"
            + (f", which holds {kept[at].begin} to {kept[at].high} (exclusive)" if at in kept else "")
            for at, offset in asked.items()
        ]
        return OffsetOutOfRange(f"{'; '.join(parts)}: the topic was truncated or recreated.")


async def _check_partitions(connection: Connection, positions: Mapping[TopicPartition, int]) -> None:
    counts = await connection.partition_counts(topic for topic, _ in positions)
    for partition, offset in positions.items():
        if not 0 <= partition.partition < counts[partition.topic]:
            raise UnknownTopic(f"Topic {partition.topic} has no partition {partition.partition}.")
        if offset < 0:
            raise OffsetOutOfRange(f"offset {offset} of {_named([partition])} is negative.")


def _named(partitions: Sequence[TopicPartition]) -> str:
    shown = ", ".join(f"{topic}[{number}]" for topic, number in partitions[:5])
    return shown if len(partitions) <= 5 else f"{shown} and {len(partitions) - 5} more"
