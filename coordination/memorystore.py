"""The topics and partitions of the memory log: what is kept, where it begins, what is stable."""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Literal
from uuid import uuid4

from coordination.errors import LogDenied, OffsetOutOfRange, UnknownTopic
from coordination.eventlog import (
    APPEND_TIME,
    Appended,
    NewRecord,
    StoredRecord,
    TopicInfo,
    TopicPartition,
    TopicSpec,
    check_records,
    check_spec,
)
from coordination.logreader import Fetched, Stand
from coordination.partitioner import Placement
from coordination.wakeup import Wakeup


@dataclass
class Partition:
    """One partition. `offsets` and `records` run in parallel; gaps in offsets are allowed."""

    identity: int
    changed: int
    begin: int = 0
    high: int = 0
    offsets: list[int] = field(default_factory=list)
    records: list[StoredRecord] = field(default_factory=list)
    open_from: list[int] = field(default_factory=list)
    """First offsets of transactions still open."""

    @property
    def stand(self) -> Stand:
        """As readers see it: nothing from the first open transaction on is stable."""
        return Stand(self.identity, self.begin, min(self.open_from, default=self.high), self.high)

    def truncate(self, before: int) -> None:
        """Forget all records before an offset."""
        cut = bisect_left(self.offsets, before)
        del self.offsets[:cut], self.records[:cut]
        self.begin = before

    def forget(self, offsets: Iterable[int]) -> None:
        """Forget these records; the offsets stay used up."""
        for offset in offsets:
            at = bisect_left(self.offsets, offset)
            del self.offsets[at], self.records[at]


@dataclass
class Topic:
    """One topic and its partitions."""

    info: TopicInfo
    partitions: list[Partition]


class MemoryStore:
    """Topics in memory; a Source for readers. Any thread may call any method."""

    look_every = float("inf")

    def __init__(self, clock: Callable[[], int]) -> None:
        self.wakeup = Wakeup()
        self.lock = threading.RLock()
        self.topics: dict[str, Topic] = {}
        self.revision = 0
        self.topic_changes = 0
        self._clock = clock
        self._identities = count(1)
        self._gone: dict[TopicPartition, int] = {}
        self._placement = Placement()

    def outside(self) -> int:
        """Nobody outside this process can change this log."""
        return 0

    def changed(self, partitions: Iterable[Partition] = ()) -> None:
        """Note a change, of these partitions among others, and wake who waits for one."""
        self.revision += 1
        for partition in partitions:
            partition.changed = self.revision
        self.wakeup.wake()

    def stands(self, since: int) -> tuple[int, Mapping[TopicPartition, Stand | None]]:
        """See `Source.stands`."""
        with self.lock:
            stands: dict[TopicPartition, Stand | None] = {p: None for p, at in self._gone.items() if at > since}
            for name, topic in self.topics.items():
                for number, partition in enumerate(topic.partitions):
                    if partition.changed > since:
                        stands[TopicPartition(name, number)] = partition.stand
            return self.revision, stands

    def fetch(self, partition: TopicPartition, stand: Stand, position: int, limit: int, whole: bool) -> Fetched:
        """See `Source.fetch`."""
        with self.lock:
            kept = self.partition(partition)
            if position < kept.begin:
                raise OffsetOutOfRange(f"{partition.topic}[{partition.partition}] begins at {kept.begin} by now.")
            start = bisect_left(kept.offsets, position)
            stable = bisect_left(kept.offsets, kept.stand.stable, start)
            end = min(stable, start + limit)
            records = kept.records[start:end]
            return Fetched(records, kept.stand.stable if end == stable else records[-1].offset + 1)

    def partition(self, partition: TopicPartition) -> Partition:
        """The partition itself. Raises UnknownTopic."""
        found = self.find(partition)
        if found is None:
            raise UnknownTopic(f"{partition.topic}[{partition.partition}] does not exist.")
        return found

    def find(self, partition: TopicPartition) -> Partition | None:
        """The partition itself, if there is one."""
        topic = self.topics.get(partition.topic)
        if topic is None or not 0 <= partition.partition < len(topic.partitions):
            return None
        return topic.partitions[partition.partition]

    def partition_counts(self) -> dict[str, int]:
        """Number of partitions by topic."""
        return {name: topic.info.partitions for name, topic in self.topics.items()}

    def create(self, spec: TopicSpec) -> None:
        """Create a topic unless it exists. Raises LogDenied (`invalid_topic`)."""
        check_spec(spec)
        with self.lock:
            if spec.name in self.topics:
                return
            config = spec.config | {"message.timestamp.type": "LogAppendTime"}
            info = TopicInfo(spec.name, spec.partitions, 1, config, uuid4().hex)
            partitions = [Partition(next(self._identities), 0) for _ in range(spec.partitions)]
            self.topics[spec.name] = Topic(info, partitions)
            for number in range(spec.partitions):
                self._gone.pop(TopicPartition(spec.name, number), None)
            self.topic_changes += 1
            self.changed(partitions)

    def delete(self, name: str) -> None:
        """Delete a topic. Raises UnknownTopic."""
        with self.lock:
            topic = self.topics.pop(name, None)
            if topic is None:
                raise UnknownTopic(f"Topic {name} does not exist.")
            self.topic_changes += 1
            self.changed()
            self._gone |= {TopicPartition(name, number): self.revision for number in range(len(topic.partitions))}

    def append(self, records: Sequence[NewRecord], state: Literal["open", "committed"] = "committed") -> list[Appended]:
        """Append all or nothing; an `open` transaction's records are kept, but not stable."""
        check_records(records)
        if not records:
            return []
        with self.lock:
            numbers = self._placement.place(records, self.partition_counts())
            self._refuse_missing_keys(records)
            now = self._clock()
            touched = {
                TopicPartition(record.topic, number): self.topics[record.topic].partitions[number]
                for record, number in zip(records, numbers, strict=True)
            }
            if state == "open":
                for partition in touched.values():
                    partition.open_from.append(partition.high)
            placed = [self._keep(record, number, now) for record, number in zip(records, numbers, strict=True)]
            self.changed(touched.values())
            return placed

    def end(self, placed: Sequence[Appended], *, commit: bool) -> None:
        """End an open transaction: its records become stable or vanish, and a marker takes up an offset each."""
        with self.lock:
            ended: dict[TopicPartition, list[int]] = {}
            for at in placed:
                ended.setdefault(TopicPartition(at.topic, at.partition), []).append(at.offset)
            for key, offsets in ended.items():
                partition = self.partition(key)
                partition.open_from.remove(offsets[0])
                partition.high += 1
                if not commit:
                    partition.forget(offsets)
            self.changed(self.partition(key) for key in ended)

    def truncate(self, partition: TopicPartition, before: int) -> None:
        """Forget the records before an offset, as retention does. Raises UnknownTopic, OffsetOutOfRange."""
        with self.lock:
            kept = self.partition(partition)
            if not kept.begin <= before <= kept.high:
                raise OffsetOutOfRange(f"{partition.topic}[{partition.partition}] has no offset {before}.")
            kept.truncate(before)
            self.changed([kept])

    def _keep(self, record: NewRecord, number: int, now: int) -> Appended:
        partition = self.topics[record.topic].partitions[number]
        offset, partition.high = partition.high, partition.high + 1
        partition.offsets.append(offset)
        partition.records.append(
            StoredRecord(
                record.topic, number, offset, now, APPEND_TIME, record.key, record.value, tuple(record.headers)
            )
        )
        return Appended(record.topic, number, offset, now)

    def _refuse_missing_keys(self, records: Sequence[NewRecord]) -> None:
        for record in records:
            config = self.topics[record.topic].info.config or {}
            if record.key is None and "compact" in config.get("cleanup.policy", ""):
                raise LogDenied(f"Topic {record.topic} is compacted: its records need a key.", code="key_required")
