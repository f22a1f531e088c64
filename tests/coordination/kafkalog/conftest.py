"""Fixtures of the Kafka adapter's own tests: an open log on the shared broker, and topics of one's own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.kafkalog import KafkaLog, open_kafkalog
from tests.services.kafka import KafkaBroker

MakeTopic = Callable[..., Awaitable[str]]


@pytest.fixture
async def log(kafka: KafkaBroker) -> AsyncIterator[KafkaLog]:
    """An open log with the usual patience of ten seconds."""
    opened = open_kafkalog(f"kafka://{kafka.bootstrap}")
    yield opened
    await opened.close()


@pytest.fixture
async def hasty(kafka: KafkaBroker) -> AsyncIterator[KafkaLog]:
    """An open log that waits for nothing longer than 1.5 seconds."""
    opened = open_kafkalog(f"kafka://{kafka.bootstrap}?timeout=1.5")
    yield opened
    await opened.close()


@pytest.fixture
def topic(log: KafkaLog, namespace: str) -> MakeTopic:
    """Create a topic of one's own: `await topic("name", partitions=1, config=None)` returns its full name."""

    async def make(name: str = "topic", partitions: int = 1, config: dict[str, str] | None = None) -> str:
        full = f"{namespace}.{name}"
        await log.create_topics([TopicSpec(full, partitions, config=config or {})])
        return full

    return make


def numbered(topic: str, numbers: range, partitions: int = 1) -> list[NewRecord]:
    """Records whose value is their number, dealt out over the partitions."""
    return [NewRecord(topic, b"k%d" % n, b"%d" % n, partition=n % partitions) for n in numbers]


async def read_all(log: KafkaLog, topic: str, partitions: int = 1) -> dict[int, list[int]]:
    """The numbers in each partition, up to its end, as a reader of committed records sees them."""
    assigned = [TopicPartition(topic, number) for number in range(partitions)]
    ends = await log.ends(assigned)
    reader = await log.reader(dict.fromkeys(assigned, 0))
    found: dict[int, list[int]] = {number: [] for number in range(partitions)}
    async with asyncio.timeout(30):  # markers of the last transaction may still be on their way
        while any(reader.positions()[partition] < ends[partition].high for partition in assigned):
            for record in await reader.read(1000, 0.5):
                found[record.partition].append(int(record.value or b""))
    await reader.close()
    return found


async def repeatedly(act: Callable[[], Awaitable[Sequence[object]]], seconds: float = 15) -> None:
    """Read or poll nothing, again and again, until it raises."""
    async with asyncio.timeout(seconds):
        while True:
            assert list(await act()) == []
