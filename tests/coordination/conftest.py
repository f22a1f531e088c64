"""Fixtures of the log contract: `adapter` (one per technology), `log` (an open handle), `topic` (a factory)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from coordination.eventlog import EventLog, TopicSpec
from tests.coordination.adapters import Adapter, HttpAdapter, KafkaAdapter, MemoryAdapter, SqliteAdapter
from tests.coordination.logserver import LogServer

MakeTopic = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session")
def log_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogServer]:
    """A web server in a process of its own that serves the HTTP face of an SQLite log."""
    server = LogServer(tmp_path_factory.mktemp("logserver"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["memory", "sqlite", "http", pytest.param("kafka", marks=pytest.mark.kafka)])
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> Adapter:
    """The technology under test."""
    if request.param == "memory":
        return MemoryAdapter()
    if request.param == "sqlite":
        return SqliteAdapter(tmp_path)
    if request.param == "http":
        server: LogServer = request.getfixturevalue("log_server")
        return HttpAdapter(server.base_url, server.token)
    return KafkaAdapter(request.getfixturevalue("kafka").bootstrap)


@pytest.fixture
async def log(adapter: Adapter) -> AsyncIterator[EventLog]:
    """An open log of the adapter under test."""
    opened = await adapter.open()
    yield opened
    await opened.close()


@pytest.fixture
def topic(log: EventLog) -> MakeTopic:
    """Create a topic with a name of its own: `await topic(partitions=1, config=None)` returns the name."""

    async def make(partitions: int = 1, config: dict[str, str] | None = None) -> str:
        name = f"contract.{uuid4().hex[:12]}"
        stamped = {"message.timestamp.type": "LogAppendTime"} | (config or {})
        await log.create_topics([TopicSpec(name, partitions, config=stamped)])
        return name

    return make


@pytest.fixture
def group() -> str:
    """A consumer group name of its own."""
    return f"agent.{uuid4().hex[:12]}"
