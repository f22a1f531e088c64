"""The SQLite file: its tables, how a connection is opened, and what its errors mean.

Records of one append stand together in a *chunk*, one row with a msgpack list of up to `CHUNK_RECORDS` records,
as Kafka keeps batches. Python's sqlite3 gives up the interpreter lock at every row it steps to; beside a busy
thread, winning it back takes up to 5 ms each time. A row per record read 2,500 records/s then, chunks 70,000
(alone: 180,000 and 230,000). For the same reason lists come out of SQLite as one JSON value.

A chunk's id is `partition_id << OFFSET_BITS | base offset`, so that a partition is one range of the table.
Changes of a partition carry a revision that grows over the whole log: what changed is one short index range.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from coordination.errors import LogUnreachable

Answer = TypeVar("Answer")

CHUNK_RECORDS: Final = 256
CHUNK_BYTES: Final = 1 << 20
OFFSET_BITS: Final = 40
VERSION: Final = 1
APPLICATION_ID: Final = 0x4C494E45  # "LINE"
PATIENCE: Final = 10.0
"""Seconds to wait for other processes before LogUnreachable."""

_TABLES: Final = """
CREATE TABLE topics (
    id INTEGER PRIMARY KEY, uid TEXT NOT NULL, name TEXT NOT NULL, partitions INTEGER NOT NULL,
    config TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX topics_name ON topics (name) WHERE NOT deleted;
CREATE TABLE partitions (
    id INTEGER PRIMARY KEY, topic INTEGER NOT NULL REFERENCES topics, number INTEGER NOT NULL,
    begin INTEGER NOT NULL DEFAULT 0, high INTEGER NOT NULL DEFAULT 0, peak INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL, merged_to INTEGER NOT NULL DEFAULT 0, cleaned_to INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX partitions_changed ON partitions (changed);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, next INTEGER NOT NULL, count INTEGER NOT NULL, newest INTEGER NOT NULL,
    peak INTEGER NOT NULL, payload BLOB NOT NULL
);
CREATE TABLE groups (name TEXT PRIMARY KEY, revision INTEGER NOT NULL, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE commits (
    group_name TEXT NOT NULL, partition INTEGER NOT NULL REFERENCES partitions, position INTEGER NOT NULL,
    PRIMARY KEY (group_name, partition)
) WITHOUT ROWID;
CREATE TABLE producers (transactional_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE revisions (topics INTEGER NOT NULL);
INSERT INTO revisions VALUES (0);
"""


def chunk_id(partition_id: int, offset: int) -> int:
    """The id a chunk has whose first record has this offset."""
    return partition_id << OFFSET_BITS | offset


def base_offset(chunk: int) -> int:
    """The offset of the first record of a chunk, by the chunk's id."""
    return chunk & ((1 << OFFSET_BITS) - 1)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise our own error in place of SQLite's, with the file's name and what to do."""
    try:
        yield
    except sqlite3.ProgrammingError as error:
        raise LogUnreachable(f"The log {path} was closed.", retryable=False) from error
    except sqlite3.OperationalError as error:
        raise LogUnreachable(f"The log file {path} cannot be used now: {error}.") from error
    except sqlite3.Error as error:
        raise LogUnreachable(
            f"The log file {path} cannot be read: {error}. Restore it from a copy, or move it away to start anew.",
            retryable=False,
        ) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, creating it with its tables if need be. Raises LogUnreachable."""
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # No waiting inside SQLite: it sleeps up to 100 ms at a time, where a transaction here takes about one.
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            patiently(lambda: _set_up(connection, path))
        except BaseException:
            connection.close()
            raise
        return connection


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-16000")
    connection.execute("BEGIN IMMEDIATE")
    _create(connection, path)
    connection.execute("COMMIT")


def patiently(act: Callable[[], Answer]) -> Answer:
    """Do something as soon as other processes let go of the file, waiting up to `PATIENCE` seconds."""
    deadline = time.monotonic() + PATIENCE
    pause = 0.0005
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(pause)
            pause = min(pause * 1.5, 0.005)


def _create(connection: sqlite3.Connection, path: Path) -> None:
    (kind,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (kind, version) == (APPLICATION_ID, VERSION):
        return
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables:
        raise LogUnreachable(
            f"The file {path} is no log of version {VERSION} (it has id {kind:#x}, version {version}). "
            "Choose another file.",
            retryable=False,
        )
    for statement in _TABLES.split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={VERSION}")
