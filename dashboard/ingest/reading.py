"""Reading: a reader over the partitions that are ours, and how much of it makes a batch.

Records are handed on in chunks, so that whoever takes them never holds a whole batch of them.

Live, whatever came within a tick makes a batch, so that a page hears of an event soon and a busy log does not cost
a transaction per event. Behind, batches grow: fewer transactions, and who is behind has no page to be quick for.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar

from coordination.errors import CoordinationError
from coordination.eventlog import EventLog, Reader, Record, TopicPartition

Answer = TypeVar("Answer")
TICK: Final = 0.04
LIVE: Final = 1_000
BEHIND: Final = 5_000
CHUNK: Final = 128
PATIENCE: Final = 0.25
ASKING: Final = 0.001


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

    def read(self, take: Callable[[Sequence[Record]], None]) -> int:
        """Hand the next batch to `take`, chunk by chunk; how many records that were, 0 if nothing came for a quarter
        of a second. Raises what `Reader.read` raises, if nothing was taken before it."""
        pause = self._began + TICK - time.monotonic()
        if pause > 0 and self._limit == LIVE:
            self.run(asyncio.sleep(pause))
        if self._reader is None:
            self.run(asyncio.sleep(PATIENCE))
            return 0
        count = self.run(self._read(self._reader, take))
        self._began = time.monotonic() if count else 0.0
        self._limit = BEHIND if count >= LIVE else LIVE
        return count

    async def _read(self, reader: Reader, take: Callable[[Sequence[Record]], None]) -> int:
        count, patience = 0, PATIENCE
        while count < self._limit:
            try:
                records = await reader.read(min(CHUNK, self._limit - count), patience)
            except CoordinationError:
                if count:
                    break  # it comes again with the next batch, and what was taken is good
                raise
            if not records:
                break
            take(records)
            count, patience = count + len(records), 0.0
        # The loop stands still while the batch is written: a client that fetches over the network asks for more first.
        await asyncio.sleep(ASKING)
        return count

    def positions(self) -> Mapping[TopicPartition, int]:
        """Where the reader stands: past markers and gaps that held no record."""
        return self._reader.positions() if self._reader is not None else {}
