"""The logs under test: one entry per adapter, so that one contract test runs against all of them."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from coordination.errors import CoordinationError
from coordination.eventlog import EventLog, Membership, NewRecord, Reader, Record, TopicPartition
from coordination.httplog import HttpLog
from coordination.kafkalog import open_kafkalog
from coordination.memorylog import MemoryLog
from coordination.sqlitelog import SqliteLog


class Adapter(Protocol):
    """A place that keeps a log, and how to open one more handle on it."""

    name: str
    session_timeout: float  # the shortest this log allows, in seconds

    async def open(self) -> EventLog: ...


class MemoryAdapter:
    name = "memory"
    session_timeout = 1.0

    def __init__(self) -> None:
        self.log = MemoryLog()

    async def open(self) -> EventLog:
        return self.log


class SqliteAdapter:
    name = "sqlite"
    session_timeout = 1.0

    def __init__(self, folder: Path) -> None:
        self.path = folder / "log.sqlite3"

    async def open(self) -> EventLog:
        return SqliteLog(self.path)


class HttpAdapter:
    name = "http"
    session_timeout = 1.0

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url = base_url
        self.token = token

    async def open(self) -> EventLog:
        return HttpLog(self.base_url, self.token)


class KafkaAdapter:
    name = "kafka"
    session_timeout = 6.0

    def __init__(self, bootstrap: str) -> None:
        self.url = f"kafka://{bootstrap}"

    async def open(self) -> EventLog:
        opened = open_kafkalog(self.url)
        log: EventLog = await opened if inspect.isawaitable(opened) else opened
        return log


async def fill(log: EventLog, name: str, partitions: int, each: int = 3) -> None:
    """`each` records b"<partition>-<number>" in every partition."""
    await log.append(
        [
            NewRecord(name, b"k", b"%d-%d" % (partition, number), partition=partition)
            for partition in range(partitions)
            for number in range(each)
        ]
    )


async def take(reader: Reader, count: int, timeout: float = 20.0) -> list[Record]:
    """Read until `count` records have come; fail when they do not come in time."""
    records: list[Record] = []
    async with asyncio.timeout(timeout):
        while len(records) < count:
            records.extend(await reader.read(count - len(records), 1.0))
    return records


async def take_polled(member: Membership, count: int, timeout: float = 30.0) -> list[Record]:
    """Poll until `count` records have come; fail when they do not come in time."""
    records: list[Record] = []
    async with asyncio.timeout(timeout):
        while len(records) < count:
            records.extend(await member.poll(count - len(records), 0.2))
    return records


async def until(holds: Callable[[], Awaitable[bool]], timeout: float = 30.0) -> None:
    """Wait until an eventually true statement is true."""
    async with asyncio.timeout(timeout):
        while not await holds():
            await asyncio.sleep(0.02)


async def settle(members: Sequence[Membership], wanted: Callable[[], bool], timeout: float = 30.0) -> list[Record]:
    """Poll all members, as their runtimes would, until their assignments are as wanted."""
    seen: list[Record] = []
    async with asyncio.timeout(timeout):
        while not wanted():
            for polled in await asyncio.gather(*(member.poll(100, 0.1) for member in members)):
                seen.extend(polled)
    return seen


class SilentMember:
    """A member in a thread of its own whose event loop stands still: alive, but silent, as after a long pause.

    On waking it tries at once to commit and to append, as a zombie would; `refusal` is what the log answered.
    """

    def __init__(self, adapter: Adapter, group: str, topic: str, session_timeout: float) -> None:
        self.refusal: CoordinationError | None = None
        self.polled: list[Record] = []
        self._adapter, self._group, self._topic, self._timeout = adapter, group, topic, session_timeout
        self._silent, self._awake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)

    async def start(self, count: int) -> None:
        """Join, poll `count` records, fall silent."""
        self._count = count
        self._thread.start()
        await asyncio.to_thread(self._silent.wait, 60)

    async def wake(self, offsets: Mapping[TopicPartition, int], records: Sequence[NewRecord]) -> None:
        """Wake it; returns when its attempt to commit has ended."""
        self._offsets, self._records = offsets, records
        self._awake.set()
        await asyncio.to_thread(self._thread.join, 60)

    async def _live(self) -> None:
        log = await self._adapter.open()
        member = await log.join(self._group, [self._topic], client_id="silent", session_timeout=self._timeout)
        self.polled = await take_polled(member, self._count)
        self._silent.set()
        self._awake.wait(60)  # blocks the loop on purpose: no heartbeat leaves this thread
        try:
            await member.commit(self._offsets, self._records)
        except CoordinationError as error:
            self.refusal = error
        await member.close()
        if self._adapter.name != "memory":
            await log.close()
