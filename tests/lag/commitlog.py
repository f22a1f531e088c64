"""All commits of all groups as Kafka keeps them, read from its own topic: one by one, each with its instant."""

import struct
from typing import Any, Final, NamedTuple

from coordination.eventlog import Reader, TopicPartition
from coordination.kafkalog import KafkaLog

TOPIC: Final = "__consumer_offsets"


class Kept(NamedTuple):
    """A commit: `at` in seconds since 1970 UTC."""

    group: str
    where: TopicPartition
    offset: int
    at: float


class CommitLog:
    """Reads on from where it was opened."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def read(self) -> list[Kept]:
        """What was committed since the last call; records about members and deletions are passed over."""
        found: list[Kept] = []
        while records := await self._reader.read(1_000, 0.02):
            for record in records:
                where = _key(record.key or b"")
                if where is not None and record.value is not None:
                    (offset,) = struct.unpack_from(">q", record.value, 2)
                    found.append(Kept(*where, offset, record.timestamp / 1000))
        return found

    async def close(self) -> None:
        """Read no more."""
        await self._reader.close()


async def open_commitlog(log: KafkaLog, partitions: int) -> CommitLog:
    """From now on. `partitions`: how many the topic has."""
    ends = await log.ends([TopicPartition(TOPIC, number) for number in range(partitions)])
    return CommitLog(await log.reader({where: end.stable for where, end in ends.items()}))


def _key(key: bytes) -> Any:
    """(group, partition) of the key of a commit: a version of 0 or 1, two strings, a number."""
    version, size = struct.unpack_from(">hh", key) if len(key) >= 4 else (-1, 0)
    if version not in (0, 1):
        return None
    group, at = key[4 : 4 + size].decode(), 4 + size
    (size,) = struct.unpack_from(">h", key, at)
    topic, at = key[at + 2 : at + 2 + size].decode(), at + 2 + size
    return group, TopicPartition(topic, *struct.unpack_from(">i", key, at))
