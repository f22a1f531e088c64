"""Reading: a reader over the partitions that are ours, and how much of it makes a batch.

Live, whatever came within a tick makes a batch, so that a page hears of an event soon and a busy log does not cost
a transaction per event. Behind, batches grow: fewer transactions, and who is behind has no page to be quick for.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar

from coordination.eventlog import EventLog, Reader, Record, TopicPartition

Answer = TypeVar("Answer")
TICK: Final = 0.04
LIVE: Final = 1_000
BEHIND: Final = 5_000
PATIENCE: Final = 0.25


class LogReader:
    """One reader for one thread. Its event loop only runs inside the calls, so between them the database may be
    used as in any other thread."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._reader: Reader | None = None
        self._limit = LIVE
        self._began = 0.0

    def run(self, doing: Coroutine[Any, Any, Answer]) -> Answer:
        """Do something on the log."""
        return self._runner.run(doing)

    def call(self, doing: Callable[[], Answer]) -> Answer:
        """Call what must be called inside a running event loop."""

        async def called() -> Answer:
            return doing()

        return self._runner.run(called())

    def open(self, log: EventLog, positions: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from these positions from now on."""
        self.close()
        if positions:
            self._reader = self.run(log.reader(positions))

    def close(self) -> None:
        """Read nothing any more."""
        reader, self._reader = self._reader, None
        if reader is not None:
            self.run(reader.close())

    def read(self) -> Sequence[Record]:
        """The next batch; empty if nothing came for a quarter of a second. Raises what `Reader.read` raises."""
        pause = self._began + TICK - time.monotonic()
        if pause > 0 and self._limit == LIVE:
            self.run(asyncio.sleep(pause))
        if self._reader is None:
            self.run(asyncio.sleep(PATIENCE))
            return ()
        records = self.run(self._reader.read(self._limit, PATIENCE))
        self._began = time.monotonic() if records else 0.0
        self._limit = BEHIND if len(records) >= LIVE else LIVE
        return records

    def positions(self) -> Mapping[TopicPartition, int]:
        """Where the reader stands: past markers and gaps that held no record."""
        return self._reader.positions() if self._reader is not None else {}
