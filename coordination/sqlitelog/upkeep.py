"""Retention, compaction, merging of small chunks, and giving freed space back.

What is to be done is found by reading, in a thread of its own; each piece of it is then one short transaction of
the writer that first looks whether the chunks are still as planned. So appends go on meanwhile, and several
processes may keep up the same file. Settings of a topic have Kafka's names and defaults: cleanup.policy,
retention.ms, retention.bytes, min.cleanable.dirty.ratio, min.compaction.lag.ms, delete.retention.ms.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from coordination.eventlog import StoredRecord
from coordination.sqlitelog.batch import Batch, cut, encode_chunk
from coordination.sqlitelog.file import CHUNK_BYTES, CHUNK_RECORDS, base_offset, chunk_id, connect, translated
from coordination.sqlitelog.store import decode_chunk
from coordination.sqlitelog.writer import Job, Writer

_DAY_MS: Final = 86_400_000
_PURGE_ROWS: Final = 500
_VACUUM_PAGES: Final = 2_000

Keep = Callable[[StoredRecord], bool]


class Upkeep(NamedTuple):
    """What one round did: records expired, records compacted away, chunks merged away, rows purged."""

    expired: int = 0
    compacted: int = 0
    merged: int = 0
    purged: int = 0

    def plus(self, other: "Upkeep") -> "Upkeep":
        """Both together."""
        return Upkeep(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class _Chunk(NamedTuple):
    id: int
    next: int
    records: int
    newest: int
    size: int


class _Partition(NamedTuple):
    id: int
    config: dict[str, str]
    begin: int
    high: int
    merged_to: int
    cleaned_to: int

    def setting(self, name: str, default: float) -> float:
        """A number from the topic's settings; -1 stands for no limit. What is no number counts as not set."""
        try:
            value = float(self.config.get(name, default))
        except ValueError:
            return default
        return float("inf") if value < 0 else value

    def has(self, policy: str) -> bool:
        """Whether `delete` or `compact` is among its cleanup policies."""
        return policy in self.config.get("cleanup.policy", "delete")


async def keep_up(path: Path, writer: Writer, now: int) -> Upkeep:
    """One round over all partitions; `now` in ms since 1970 UTC. Raises LogUnreachable."""
    done = Upkeep()
    for job in await asyncio.to_thread(_plan, path, now):
        done = done.plus(await writer.run(job))
    while (step := await writer.run(_purge)).purged:
        done = done.plus(step)
    await writer.run(_vacuum)
    return done


def _plan(path: Path, now: int) -> list[Job[Upkeep]]:
    with closing(connect(path)) as connection, translated(path):
        jobs: list[Job[Upkeep]] = []
        for partition in _partitions(connection):
            if partition.has("delete"):
                jobs.extend(_retention(connection, partition, now))
            if partition.has("compact"):
                jobs.extend(_compaction(connection, partition, now))
            else:
                jobs.extend(_merging(connection, partition))
        return jobs


def _partitions(connection: sqlite3.Connection) -> list[_Partition]:
    rows = connection.execute(
        "SELECT p.id, t.config, p.begin, p.high, p.merged_to, p.cleaned_to "
        "FROM partitions p JOIN topics t ON t.id = p.topic WHERE NOT t.deleted"
    )
    return [_Partition(row[0], msgspec.json.decode(row[1], type=dict[str, str]), *row[2:]) for row in rows]


def _chunks(connection: sqlite3.Connection, partition: _Partition, start: int) -> Iterator[_Chunk]:
    rows = connection.execute(
        "SELECT id, next, count, newest, length(payload) FROM chunks WHERE id >= ? AND id < ? ORDER BY id",
        (chunk_id(partition.id, max(start, partition.begin)), chunk_id(partition.id + 1, 0)),
    )
    return (_Chunk(*row) for row in rows)


def _retention(connection: sqlite3.Connection, partition: _Partition, now: int) -> Iterator[Job[Upkeep]]:
    oldest = now - partition.setting("retention.ms", 7 * _DAY_MS)
    too_many = 0.0
    if (limit := partition.setting("retention.bytes", -1)) < float("inf"):
        too_many = sum(chunk.size for chunk in _chunks(connection, partition, 0)) - limit
    begin, expired = partition.begin, 0
    for chunk in _chunks(connection, partition, 0):
        if chunk.newest >= oldest and too_many <= 0:
            break
        begin, expired, too_many = chunk.next, expired + chunk.records, too_many - chunk.size
    if expired:
        yield lambda batch: _advance(batch, partition.id, begin, expired)


def _merging(connection: sqlite3.Connection, partition: _Partition) -> Iterator[Job[Upkeep]]:
    run: list[_Chunk] = []
    for chunk in _chunks(connection, partition, partition.merged_to):
        full = sum(c.records for c in run) + chunk.records > CHUNK_RECORDS
        if run and (full or sum(c.size for c in run) + chunk.size > CHUNK_BYTES):
            yield from _rewriting(run, lambda _: True, drops=False)
            run = []
        run.append(chunk)
    if run and (start := base_offset(run[0].id)) > partition.merged_to:
        yield lambda batch: _mark(batch, "UPDATE partitions SET merged_to = ? WHERE id = ?", start, partition.id)


def _compaction(connection: sqlite3.Connection, partition: _Partition, now: int) -> Iterator[Job[Upkeep]]:
    settled = now - partition.setting("min.compaction.lag.ms", 0)
    chunks = [chunk for chunk in _chunks(connection, partition, 0) if chunk.newest <= settled]
    dirty = sum(chunk.records for chunk in chunks if chunk.next > partition.cleaned_to)
    if not dirty or dirty < partition.setting("min.cleanable.dirty.ratio", 0.5) * sum(c.records for c in chunks):
        return
    latest: dict[bytes | None, int] = {}
    for chunk in chunks:
        latest.update((record.key, record.offset) for record in _records(connection, chunk))
    forgets = now - partition.setting("delete.retention.ms", _DAY_MS)

    def keep(record: StoredRecord) -> bool:
        return latest.get(record.key) == record.offset and (record.value is not None or record.timestamp > forgets)

    yield from _runs(connection, chunks, keep)
    end = chunks[-1].next
    yield lambda batch: _mark(batch, "UPDATE partitions SET cleaned_to = ? WHERE id = ?", end, partition.id)


def _runs(connection: sqlite3.Connection, chunks: list[_Chunk], keep: Keep) -> Iterator[Job[Upkeep]]:
    run: list[_Chunk] = []
    survivors = 0
    for chunk in chunks:
        kept = sum(keep(record) for record in _records(connection, chunk))
        if run and (survivors + kept > CHUNK_RECORDS or sum(c.size for c in run) > 4 * CHUNK_BYTES):
            yield from _rewriting(run, keep, drops=survivors < sum(c.records for c in run))
            run, survivors = [], 0
        run.append(chunk)
        survivors += kept
    yield from _rewriting(run, keep, drops=survivors < sum(c.records for c in run))


def _rewriting(run: list[_Chunk], keep: Keep, *, drops: bool) -> Iterator[Job[Upkeep]]:
    if len(run) > 1 or drops:
        planned = [chunk.id for chunk in run]
        yield lambda batch: _rewrite(batch, planned, keep)


def _records(connection: sqlite3.Connection, chunk: _Chunk) -> list[StoredRecord]:
    row = connection.execute("SELECT payload FROM chunks WHERE id = ?", (chunk.id,)).fetchone()
    return [] if row is None else decode_chunk(row[0])


def _advance(batch: Batch, partition_id: int, begin: int, expired: int) -> Upkeep:
    moved = batch.connection.execute(
        "UPDATE partitions SET begin = ?, changed = ? WHERE id = ? AND begin < ?",
        (begin, batch.next_revision(), partition_id, begin),
    )
    batch.noticeable = True
    return Upkeep(expired=expired if moved.rowcount else 0)


def _rewrite(batch: Batch, planned: list[int], keep: Keep) -> Upkeep:
    span = (planned[0], planned[-1])
    rows = batch.connection.execute(
        "SELECT id, peak, payload FROM chunks WHERE id BETWEEN ? AND ? ORDER BY id", span
    ).fetchall()
    if [row[0] for row in rows] != planned:
        return Upkeep()
    records = [record for row in rows for record in decode_chunk(row[2])]
    kept = [record for record in records if keep(record)]
    pieces = list(cut(kept))
    batch.connection.execute("DELETE FROM chunks WHERE id BETWEEN ? AND ?", span)
    partition_start = planned[0] - base_offset(planned[0])
    batch.connection.executemany(
        "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?)",
        [
            (partition_start + piece[0].offset, piece[-1].offset + 1, len(piece),
             max(record.timestamp for record in piece), rows[-1][1], encode_chunk(piece))
            for piece in pieces
        ],
    )  # fmt: skip
    return Upkeep(compacted=len(records) - len(kept), merged=len(planned) - len(pieces))


def _mark(batch: Batch, statement: str, offset: int, partition_id: int) -> Upkeep:
    batch.connection.execute(statement, (offset, partition_id))
    return Upkeep()


def _purge(batch: Batch) -> Upkeep:
    rows = batch.connection.execute(
        "SELECT p.id, iif(t.deleted, p.high, p.begin) FROM partitions p JOIN topics t ON t.id = p.topic"
    ).fetchall()
    for partition_id, begin in rows:
        gone = batch.connection.execute(
            "DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE id >= ? AND id < ? LIMIT ?)",
            (chunk_id(partition_id, 0), chunk_id(partition_id, begin), _PURGE_ROWS),
        )
        if gone.rowcount:
            return Upkeep(purged=gone.rowcount)
    return Upkeep()


def _vacuum(batch: Batch) -> Upkeep:
    (free,) = batch.connection.execute("PRAGMA freelist_count").fetchone()
    # SQLite gives one page back per row of this statement, and Python takes but one row of it.
    for _ in range(min(free, _VACUUM_PAGES)):
        batch.connection.execute("PRAGMA incremental_vacuum")
    return Upkeep()
