"""What an instance writes: facts, memories and positions in one transaction, in the order they were said.

Everything goes through one queue, so that the facts of a task cannot overtake each other. While a transaction is
under way the next one collects, so that a thousand tasks that end together cost a few transactions.

Each transaction names the position of every partition it speaks for, advanced or not. That is what fences: a
member that lost one of these partitions is refused, and with it all its words. If the log does not answer, the
outcome is unknown and the same records are sent again: their event ids are the same, so whoever reads them twice
drops the second.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from coordination.agent.offsets import Offsets
from coordination.errors import LogUnreachable, MemberFenced, RecordTooLarge
from coordination.eventlog import Membership, NewRecord, TopicPartition

logger: Final = logging.getLogger("coordination.agent")
MAX_RECORDS: Final = 500
RETRY_AFTER: Final = 0.5
PATIENCE: Final = 10
"""How often a refused write is tried again while its partition still seems to be ours."""


class Entry(NamedTuple):
    """Records said for one partition; `finish` is the offset that is done with them."""

    partition: TopicPartition
    records: Sequence[NewRecord]
    finish: int | None
    written: asyncio.Future[None]


class Writer:
    """Writes for one membership. `offsets` are those of the partitions that are ours now, `fenced` is told of one
    for which we were refused.
    """

    def __init__(
        self,
        member: Membership,
        offsets: dict[TopicPartition, Offsets],
        fenced: Callable[[TopicPartition], None],
    ) -> None:
        self._member = member
        self._offsets = offsets
        self._fenced = fenced
        self._patience = PATIENCE
        self._waiting: list[Entry] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def put(
        self, partition: TopicPartition, records: Sequence[NewRecord], finish: int | None = None
    ) -> asyncio.Future[None]:
        """Queue records of one transaction. The future ends when they are visible.

        It raises MemberFenced when the partition was lost (nothing was written), RecordTooLarge when one of the
        records is refused.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Whoever does not wait for it must not be warned about an exception nobody retrieved.
        written.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._waiting.append(Entry(partition, records, finish, written))
        self._idle.clear()
        self._wake.set()
        return written

    async def drained(self) -> None:
        """Wait until all that was said is written or refused."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write until cancelled. Raises what cannot be helped by waiting (LogDenied, UnknownTopic)."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._flush(self._take())
            self._idle.set()

    def commit_positions(self) -> None:
        """Commit what has advanced without any record: commands of other groups, mostly."""
        for partition, offsets in self._offsets.items():
            if offsets.position != offsets.committed:
                self.put(partition, ())

    def close(self) -> None:
        """Write nothing any more."""
        for entry in self._waiting:
            _refuse(entry, MemberFenced("This instance has left its group."))
        self._waiting.clear()

    def _take(self) -> list[Entry]:
        count, size = 0, 0
        for entry in self._waiting:
            size += len(entry.records)
            if count and size > MAX_RECORDS:
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    async def _flush(self, entries: list[Entry]) -> None:
        entries = self._mine(entries)
        if not entries:
            return
        try:
            await self._commit(entries)
        except (MemberFenced, RecordTooLarge) as error:
            for entry in entries:
                if entry.finish is not None and entry.partition in self._offsets:
                    # Nothing was written, so nothing is done with.
                    self._offsets[entry.partition].reopen(entry.finish)
            await self._part(entries, error)

    def _mine(self, entries: list[Entry]) -> list[Entry]:
        mine = []
        for entry in entries:
            if entry.partition in self._offsets:
                mine.append(entry)
            else:
                _refuse(entry, MemberFenced(f"{entry.partition.topic}-{entry.partition.partition} was lost."))
        return mine

    async def _commit(self, entries: list[Entry]) -> None:
        positions = {}
        for entry in entries:
            offsets = self._offsets[entry.partition]
            if entry.finish is not None:
                offsets.finish(entry.finish)
            positions[entry.partition] = offsets.position
        await self._until_answered(positions, [record for entry in entries for record in entry.records])
        self._patience = PATIENCE
        for partition, position in positions.items():
            if partition in self._offsets:
                self._offsets[partition].committed = position
        for entry in entries:
            if not entry.written.done():
                entry.written.set_result(None)

    async def _until_answered(self, positions: dict[TopicPartition, int], records: list[NewRecord]) -> None:
        silent = False
        while True:
            try:
                await self._member.commit(positions, records)
            except LogUnreachable as error:
                if not silent:
                    logger.warning("Cannot write, trying again: %s", error)
                silent = True
                await asyncio.sleep(RETRY_AFTER)
            else:
                if silent:
                    logger.info("Writing again.")
                return

    async def _part(self, entries: list[Entry], error: Exception) -> None:
        """One of several may be to blame: write each alone, and refuse those that still fail."""
        if len(entries) > 1:
            for entry in entries:
                await self._flush([entry])
            return
        if isinstance(error, MemberFenced) and self._patience > 0 and entries[0].partition in self._offsets:
            # The group may just be moving partitions: wait until we know whether this one is still ours.
            self._patience -= 1
            await asyncio.sleep(RETRY_AFTER)
            await self._flush(entries)
            return
        _refuse(entries[0], error)
        if isinstance(error, MemberFenced):
            self._fenced(entries[0].partition)


def _refuse(entry: Entry, error: Exception) -> None:
    if not entry.written.done():
        entry.written.set_exception(error)
