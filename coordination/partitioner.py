"""Which partition a key belongs to: murmur2, bit for bit as Kafka's Java clients compute it.

Agents in other languages write to the same topics. Only where every client agrees on the partition of a key
do all facts of one task stand in one partition, and so in one order. Source: `Utils.murmur2` and
`BuiltInPartitioner.partitionForKey` of Apache Kafka; librdkafka calls it `murmur2_random`.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count

from coordination.errors import UnknownTopic
from coordination.eventlog import NewRecord

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The 32-bit murmur2 hash of `data` as a signed number, as Java returns it."""
    m, mask = _MULTIPLIER, _MASK
    length = len(data)
    whole = length & ~3
    h = _SEED ^ length
    for i in range(0, whole, 4):
        k = (int.from_bytes(data[i : i + 4], "little") * m) & mask
        k = ((k ^ (k >> 24)) * m) & mask
        h = ((h * m) & mask) ^ k
    if whole < length:
        h = ((h ^ int.from_bytes(data[whole:], "little")) * m) & mask
    h = ((h ^ (h >> 13)) * m) & mask
    h ^= h >> 15
    return h - (1 << 32) if h & 0x80000000 else h


@lru_cache(maxsize=16_384)
def partition_for(key: bytes, partitions: int) -> int:
    """The partition, 0 to `partitions` - 1, of a record with this key (an empty key is a key like any other)."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


class Placement:
    """Chooses partitions for new records: as asked, else by key, else round robin. One per log handle."""

    def __init__(self) -> None:
        # count() is atomic under the interpreter lock, so that threads may share one Placement.
        self._turn = count()

    def place(self, records: Sequence[NewRecord], partition_counts: Mapping[str, int]) -> list[int]:
        """The partition of each record. Raises UnknownTopic before any turn is taken for a refused batch."""
        for record in records:
            count = partition_counts.get(record.topic, 0)
            if not count:
                raise UnknownTopic(f"Topic {record.topic} does not exist.")
            if record.partition is not None and not 0 <= record.partition < count:
                raise UnknownTopic(f"Topic {record.topic} has {count} partitions, none with number {record.partition}.")
        return [self._choose(record, partition_counts[record.topic]) for record in records]

    def _choose(self, record: NewRecord, partitions: int) -> int:
        if record.partition is not None:
            return record.partition
        return next(self._turn) % partitions if record.key is None else partition_for(record.key, partitions)
