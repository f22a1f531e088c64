"""Reading the SQLite log: partitions as they stand, their records, positions of groups."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from coordination.errors import OffsetOutOfRange, UnknownTopic
from coordination.eventlog import Ends, StoredRecord, TopicInfo, TopicPartition
from coordination.groupstate import Group
from coordination.logreader import Fetched, Stand
from coordination.sqlitelog.file import base_offset, chunk_id, connect, patiently, translated
from coordination.wakeup import Wakeup

decode_chunk = msgspec.msgpack.Decoder(list[StoredRecord]).decode
_decode_group = msgspec.msgpack.Decoder(Group).decode

_STANDS: Final = """
SELECT max(changed), json_group_array(json_array(changed, name, number, id, begin, high, deleted)) FROM
(SELECT p.changed, t.name, p.number, p.id, p.begin, p.high, t.deleted
 FROM partitions p JOIN topics t ON t.id = p.topic WHERE p.changed > ?)
"""
_FETCH: Final = """
SELECT p.begin, p.high, t.deleted, c.next, c.payload
FROM partitions p JOIN topics t ON t.id = p.topic
LEFT JOIN chunks c ON c.id < :end AND c.next > :position AND c.id >=
    coalesce((SELECT max(id) FROM chunks WHERE id BETWEEN :start AND :wanted), :start)
WHERE p.id = :partition ORDER BY c.id
"""
_COMMITS: Final = """
SELECT json_group_array(json_array(t.name, p.number, c.position)) FROM commits c
JOIN partitions p ON p.id = c.partition JOIN topics t ON t.id = p.topic WHERE c.group_name = ? AND NOT t.deleted
"""
_GROUPS: Final = """
SELECT names.name, state FROM (SELECT name FROM groups UNION SELECT group_name FROM commits) names
LEFT JOIN groups USING (name) ORDER BY names.name
"""
_REVISION: Final = """
SELECT topics + coalesce((SELECT revision FROM groups WHERE name = ?), 0) FROM revisions
"""
_CHUNK_AT: Final = """
SELECT id, next, peak FROM chunks WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1
"""


class Store:
    """The reading side, and the Source of readers. Any thread may call it: one connection, one at a time."""

    def __init__(self, path: Path, wakeup: Wakeup, look_every: float) -> None:
        self.wakeup = wakeup
        self.look_every = look_every
        self._path = path
        self._lock = threading.Lock()
        self._connection = connect(path)

    def close(self) -> None:
        """Close the connection; calls after that raise LogUnreachable."""
        with self._lock:
            self._connection.close()

    def outside(self) -> int:
        """SQLite's own count of changes by other connections (ours only reads, so all are by others)."""
        (version,) = self._rows("PRAGMA data_version")[0]
        return int(version)

    def stands(self, since: int) -> tuple[int, Mapping[TopicPartition, Stand | None]]:
        """See `Source.stands`."""
        ((revision, listed),) = self._rows(_STANDS, (since,))
        if revision is None:
            return max(since, 0), {}
        # In order of change, so that a topic that was created anew replaces its former self.
        rows: list[tuple[int, str, int, int, int, int, int]] = sorted(msgspec.json.decode(listed))
        return revision, {
            TopicPartition(name, number): None if deleted else Stand(identity, begin, high, high)
            for _, name, number, identity, begin, high, deleted in rows
        }

    def fetch(self, partition: TopicPartition, stand: Stand, position: int, limit: int, whole: bool) -> Fetched:
        """See `Source.fetch`. What it returns and where the partition begins are one snapshot."""
        start, end = chunk_id(stand.identity, 0), chunk_id(stand.identity + 1, 0)
        asked = {
            "partition": stand.identity, "start": start, "end": end,
            "wanted": chunk_id(stand.identity, position), "position": position,
        }  # fmt: skip
        records: list[StoredRecord] = []
        with self._lock, translated(self._path):
            rows = patiently(lambda: self._connection.execute(_FETCH, asked))
            try:
                for begin, high, deleted, _, payload in rows:
                    _check(partition, position, begin, deleted)
                    if payload is None:
                        return Fetched([], high)
                    chunk = decode_chunk(payload)
                    if chunk[0].offset < position:
                        chunk = [record for record in chunk if record.offset >= position]
                    room = limit - len(records)
                    if len(chunk) > room:
                        if not (records or whole):
                            records = chunk[:room]
                        return Fetched(records, records[-1].offset + 1 if records else position)
                    records.extend(chunk)
                return Fetched(records, high)
            finally:
                rows.close()

    def ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Ends]:
        """See `EventLog.ends`."""
        _, stands = self.stands(-1)
        found = {partition: stands.get(partition) for partition in partitions}
        return {partition: Ends(*stand[1:]) for partition, stand in found.items() if stand is not None}

    def offset_for_time(self, partition: TopicPartition, timestamp: int) -> int:
        """The first offset appended at or after `timestamp` (ms); the end if none. Raises UnknownTopic.

        A chunk's peak, the latest time in it or before it, never falls, whatever the clock did: so the first
        chunk with a late enough peak is found by halving, and the record by looking on from there.
        """
        _, stands = self.stands(-1)
        stand = stands.get(partition)
        if stand is None:
            raise UnknownTopic(f"{partition.topic}[{partition.partition}] does not exist.")
        low, high = stand.begin, stand.high
        while low < high:
            middle = (low + high) // 2
            found = self._rows(_CHUNK_AT, (chunk_id(stand.identity, 0), chunk_id(stand.identity, middle)))
            if not found or found[0][2] < timestamp:
                low = max(middle + 1, found[0][1] if found else 0)
            else:
                high = max(low, base_offset(found[0][0]))
        return self._look_on(partition, stand, low, timestamp)

    def commits(self, group: str) -> dict[TopicPartition, int]:
        """See `EventLog.commits`."""
        rows: list[tuple[str, int, int]] = msgspec.json.decode(self._rows(_COMMITS, (group,))[0][0])
        return {TopicPartition(name, number): position for name, number, position in rows}

    def groups(self) -> list[Group]:
        """Every group that has members or positions."""
        return [_decode_group(state) if state else Group(name) for name, state in self._rows(_GROUPS)]

    def group_revision(self, group: str) -> int:
        """See `GroupHome.group_revision`."""
        return int(self._rows(_REVISION, (group,))[0][0])

    def topics(self) -> dict[str, TopicInfo]:
        """See `EventLog.topics`."""
        rows = self._rows("SELECT name, partitions, config, uid FROM topics WHERE NOT deleted ORDER BY name")
        return {
            name: TopicInfo(name, partitions, 1, msgspec.json.decode(config, type=dict[str, str]), uid)
            for name, partitions, config, uid in rows
        }

    def _look_on(self, partition: TopicPartition, stand: Stand, position: int, timestamp: int) -> int:
        while position < stand.high:
            fetched = self.fetch(partition, stand, position, 1000, whole=False)
            for record in fetched.records:
                if record.timestamp >= timestamp:
                    return record.offset
            position = fetched.position
        return stand.high

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock, translated(self._path):
            return patiently(lambda: self._connection.execute(statement, values).fetchall())


def _check(partition: TopicPartition, position: int, begin: int, deleted: int) -> None:
    if deleted:
        raise UnknownTopic(f"{partition.topic}[{partition.partition}] was deleted.")
    if position < begin:
        raise OffsetOutOfRange(
            f"{partition.topic}[{partition.partition}] begins at {begin} by now, {position} is gone."
        )
