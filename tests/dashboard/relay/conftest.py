"""What tests of the relay share: a folder, a thread for questions, the memory log and the SQLite log."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from coordination.eventlog import EventLog
from coordination.memorylog import MemoryLog
from coordination.sqlitelog import SqliteLog
from dashboard.databasethread import DatabaseThread
from tests.dashboard.relaying import (
    create_topics,
    tables,
)


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


@pytest.fixture
async def db() -> AsyncIterator[DatabaseThread]:
    async with tables() as thread:
        yield thread


@pytest.fixture(params=["memory", "sqlite"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EventLog]:
    opened: EventLog = MemoryLog() if request.param == "memory" else SqliteLog(tmp_path / "log.sqlite3")
    await create_topics(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def memory() -> MemoryLog:
    opened = MemoryLog()
    await create_topics(opened)
    return opened
