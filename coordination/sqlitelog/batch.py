"""One write transaction: gives offsets to appended records and writes them as chunks at its end."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from coordination.errors import LogDenied, UnknownTopic
from coordination.eventlog import APPEND_TIME, Appended, NewRecord, StoredRecord, TopicPartition, record_bytes
from coordination.partitioner import Placement
from coordination.sqlitelog.file import CHUNK_BYTES, CHUNK_RECORDS, chunk_id

encode_chunk = msgspec.msgpack.Encoder().encode
_TOPICS = """
SELECT json_group_array(json_array(t.name, p.number, p.id, t.config))
FROM partitions p JOIN topics t ON t.id = p.topic WHERE NOT t.deleted
"""


class Topic(NamedTuple):
    """A topic's partition ids, by number, and whether it is compacted."""

    partition_ids: list[int]
    compacted: bool


class _Open(msgspec.Struct):
    """A partition being appended to in this transaction."""

    high: int
    peak: int
    records: list[StoredRecord]


class Batch:
    """What jobs of a transaction work on: `connection` for SQL, `append` for records, `topics` and `now`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.now = 0
        self.noticeable = False
        """Whether readers and members of this process should look again."""
        self._placement = Placement()
        self._topics: dict[str, Topic] = {}
        self._topics_revision = -1
        self._checked = False
        self._open: dict[int, _Open] = {}

    def start(self, now: int) -> None:
        """A transaction has begun; `now` is the append time of its records."""
        self.now, self.noticeable, self._checked = now, False, False

    def forget(self) -> None:
        """The transaction was rolled back."""
        self._open.clear()
        self._topics_revision = -1

    def topics(self) -> Mapping[str, Topic]:
        """All topics, as of this transaction."""
        if not self._checked:
            (revision,) = self.connection.execute("SELECT topics FROM revisions").fetchone()
            if revision != self._topics_revision:
                self._topics, self._topics_revision = self._read_topics(), revision
            self._checked = True
        return self._topics

    def topics_changed(self) -> None:
        """A job created or deleted topics."""
        self.connection.execute("UPDATE revisions SET topics = topics + 1")
        self.noticeable, self._checked = True, False

    def partition_counts(self) -> dict[str, int]:
        """Number of partitions by topic."""
        return {name: len(topic.partition_ids) for name, topic in self.topics().items()}

    def partition_id(self, partition: TopicPartition) -> int:
        """The id of a partition. Raises UnknownTopic."""
        topic = self.topics().get(partition.topic)
        if topic is None or not 0 <= partition.partition < len(topic.partition_ids):
            raise UnknownTopic(f"{partition.topic}[{partition.partition}] does not exist.")
        return topic.partition_ids[partition.partition]

    def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """Give offsets to checked records. Raises UnknownTopic or LogDenied before anything is done."""
        topics = self.topics()
        numbers = self._placement.place(records, self.partition_counts())
        for record in records:
            if record.key is None and topics[record.topic].compacted:
                raise LogDenied(f"Topic {record.topic} is compacted: its records need a key.", code="key_required")
        return [
            self._keep(record, number, topics[record.topic].partition_ids[number])
            for record, number in zip(records, numbers, strict=True)
        ]

    def flush(self) -> None:
        """Write the appended records; the last thing before the commit."""
        if not self._open:
            return
        self.noticeable = True
        revision = self.next_revision()
        for partition_id, opened in self._open.items():
            opened.peak = max(opened.peak, self.now)
            self.connection.executemany(
                "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        chunk_id(partition_id, chunk[0].offset),
                        chunk[-1].offset + 1,
                        len(chunk),
                        self.now,
                        opened.peak,
                        encode_chunk(chunk),
                    )
                    for chunk in cut(opened.records)
                ],
            )
            self.connection.execute(
                "UPDATE partitions SET high = ?, peak = ?, changed = ? WHERE id = ?",
                (opened.high, opened.peak, revision, partition_id),
            )
        self._open.clear()

    def next_revision(self) -> int:
        """A revision for partitions that change in this transaction."""
        (last,) = self.connection.execute("SELECT max(changed) FROM partitions").fetchone()
        return int(last or 0) + 1

    def _keep(self, record: NewRecord, number: int, partition_id: int) -> Appended:
        opened = self._open.get(partition_id)
        if opened is None:
            high, peak = self.connection.execute(
                "SELECT high, peak FROM partitions WHERE id = ?", (partition_id,)
            ).fetchone()
            opened = self._open[partition_id] = _Open(high, peak, [])
        offset, opened.high = opened.high, opened.high + 1
        opened.records.append(
            StoredRecord(record.topic, number, offset, self.now, APPEND_TIME, record.key, record.value, record.headers)
        )
        return Appended(record.topic, number, offset, self.now)

    def _read_topics(self) -> dict[str, Topic]:
        (listed,) = self.connection.execute(_TOPICS).fetchone()
        rows: list[tuple[str, int, int, str]] = msgspec.json.decode(listed)
        topics: dict[str, Topic] = {}
        for name, _, partition_id, config in sorted(rows):
            if name not in topics:
                settings: dict[str, Any] = msgspec.json.decode(config)
                topics[name] = Topic([], "compact" in settings.get("cleanup.policy", ""))
            topics[name].partition_ids.append(partition_id)
        return topics


def cut(records: Iterable[StoredRecord]) -> Iterator[list[StoredRecord]]:
    """Records of one partition in pieces of at most `CHUNK_RECORDS` records and about `CHUNK_BYTES` bytes."""
    piece: list[StoredRecord] = []
    size = 0
    for record in records:
        length = record_bytes(record)
        if piece and (len(piece) == CHUNK_RECORDS or size + length > CHUNK_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(record)
        size += length
    if piece:
        yield piece
