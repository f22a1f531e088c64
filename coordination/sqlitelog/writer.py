"""The one thread that writes: what many coroutines ask for at the same time becomes one transaction.

A durable commit costs an fsync, whatever is in it. While one transaction is being written, what is asked for
meanwhile queues up and goes into the next. So a thousand concurrent appends cost a few fsyncs, a lone one waits
for nobody, and no event loop ever waits for the disk.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from coordination.errors import CoordinationError, LogUnreachable
from coordination.sqlitelog.batch import Batch
from coordination.sqlitelog.file import connect, patiently, translated
from coordination.wakeup import Wakeup

Answer = TypeVar("Answer")
Job = Callable[[Batch], Answer]

_MAX_JOBS: Final = 2_000


class _Asked(NamedTuple):
    job: Job[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class Writer:
    """Runs jobs in transactions, in the order they were asked for. Any thread may ask.

    A job checks before it writes: when it raises a CoordinationError, what it has written so far is kept.
    """

    def __init__(self, path: Path, clock: Callable[[], int], wakeup: Wakeup) -> None:
        self._path, self._clock, self._wakeup = path, clock, wakeup
        self._queue: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._closed = False
        self._asking = threading.Lock()
        self._connection = connect(path)
        self._batch = Batch(self._connection)
        self._thread = threading.Thread(target=self._work, name=f"log-writer-{path.name}", daemon=True)
        self._thread.start()

    async def run(self, job: Job[Answer]) -> Answer:
        """Run a job in the next transaction; returns when it is durable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        with self._asking:
            if self._closed:
                raise LogUnreachable(f"The log {self._path} was closed.", retryable=False)
            self._queue.put(_Asked(job, future, loop))
        return await future

    async def close(self) -> None:
        """Finish what was asked for, then end."""
        with self._asking:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            asked, ends = self._gather(first)
            self._answer(asked, self._transact([item.job for item in asked]))
            if ends:
                break
        self._connection.close()

    def _gather(self, first: _Asked) -> tuple[list[_Asked], bool]:
        asked = [first]
        while len(asked) < _MAX_JOBS:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return asked, True
            asked.append(item)
        return asked, False

    def _transact(self, jobs: list[Job[Any]]) -> list[Any]:
        try:
            with translated(self._path):
                answers = self._commit(jobs)
        except LogUnreachable as error:
            self._roll_back()
            return [error] * len(jobs)
        except Exception as error:
            self._roll_back()
            # This belongs to whoever asked for it, not to this thread. The others asked for something sound: each
            # gets a transaction of its own.
            return [error] if len(jobs) == 1 else [answer for job in jobs for answer in self._transact([job])]
        if self._batch.noticeable:
            self._wakeup.wake()
        return answers

    def _commit(self, jobs: list[Job[Any]]) -> list[Any]:
        patiently(lambda: self._connection.execute("BEGIN IMMEDIATE"))
        self._batch.start(self._clock())
        answers = [self._one(job) for job in jobs]
        self._batch.flush()
        self._connection.execute("COMMIT")
        return answers

    def _one(self, job: Job[Answer]) -> Answer | CoordinationError:
        try:
            return job(self._batch)
        except CoordinationError as error:
            return error

    def _roll_back(self) -> None:
        self._batch.forget()
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            # A connection that cannot even roll back is of no use; a new one may be.
            self._connection.close()
            self._connection = connect(self._path)
            self._batch = Batch(self._connection)

    def _answer(self, asked: list[_Asked], answers: list[Any]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for item, answer in zip(asked, answers, strict=True):
            by_loop.setdefault(item.loop, []).append((item.future, answer))
        for loop, resolved in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, resolved)
            except RuntimeError:
                # The loop was closed: nobody waits there any more.
                continue


def _resolve(resolved: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, answer in resolved:
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
