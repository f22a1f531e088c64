"""Rules of the SQLite log's file: opened at once, held by others, something else, closed; jobs that fail."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coordination.errors import LogUnreachable
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.sqlitelog import SqliteLog
from coordination.sqlitelog import file as sqlite_file

TOPIC = "t"
ONLY = TopicPartition(TOPIC, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "log.sqlite3"


@pytest.fixture
async def log(path: Path) -> AsyncIterator[SqliteLog]:
    opened = SqliteLog(path)
    await opened.create_topics([TopicSpec(TOPIC, 1)])
    yield opened
    await opened.close()


async def everything(log: SqliteLog) -> list[str]:
    reader = await log.reader({ONLY: 0})
    return [(record.value or b"").decode() for record in await reader.read(1000, 0)]


async def test_a_job_that_fails_unexpectedly_fails_alone(log: SqliteLog) -> None:
    def broken(batch: object) -> None:
        raise ZeroDivisionError

    results = await asyncio.gather(
        log.append([NewRecord(TOPIC, b"k", b"before")]),
        log._writer.run(broken),
        log.append([NewRecord(TOPIC, b"k", b"after")]),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [list, ZeroDivisionError, list]
    assert await everything(log) == ["before", "after"]


async def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("not a database, but long enough to be looked at as one" * 20)
    with pytest.raises(LogUnreachable, match=r"text\.txt") as refused:
        SqliteLog(tmp_path / "text.txt")
    assert not refused.value.retryable
    with sqlite3.connect(tmp_path / "other.sqlite3") as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    with pytest.raises(LogUnreachable, match="no log of version"):
        SqliteLog(tmp_path / "other.sqlite3")


async def test_a_file_somebody_else_holds_is_waited_for_only_so_long(
    path: Path, log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE", 0.2)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LogUnreachable, match="locked") as refused:
        await log.append([NewRecord(TOPIC, b"k", b"v")])
    assert refused.value.retryable
    assert await everything(log) == []
    holder.execute("COMMIT")
    holder.close()
    await log.append([NewRecord(TOPIC, b"k", b"later")])
    assert await everything(log) == ["later"]


async def test_a_closed_log_says_so(log: SqliteLog) -> None:
    await log.close()
    await log.close()
    with pytest.raises(LogUnreachable, match="closed"):
        await log.append([NewRecord(TOPIC, b"k", b"v")])
    with pytest.raises(LogUnreachable, match="closed"):
        await log.topics()


async def test_appends_under_way_are_finished_when_the_log_is_closed(path: Path, log: SqliteLog) -> None:
    appends = [asyncio.create_task(log.append([NewRecord(TOPIC, b"k", b"%d" % n)])) for n in range(20)]
    await asyncio.sleep(0)
    await log.close()
    await asyncio.gather(*appends)
    again = SqliteLog(path)
    assert len(await everything(again)) == 20
    await again.close()


def test_many_handles_open_a_new_file_at_once(path: Path) -> None:
    failures: list[BaseException] = []

    async def open_and_close() -> None:
        try:
            log = SqliteLog(path)
            await log.create_topics([TopicSpec(TOPIC, 1)])
            await log.close()
        except LogUnreachable as error:
            failures.append(error)

    threads = [threading.Thread(target=asyncio.run, args=(open_and_close(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
