"""The memories an instance holds: those of the partitions it is assigned, read back from the log.

One `Shelf` per partition number, because a task's commands and decisions stand on the same number of two topics.
A shelf is read anew whenever a partition of its number is assigned: somebody else may have written meanwhile.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from coordination.agent.handled import Handled, Kind, name_of, read_record
from coordination.errors import LogUnreachable
from coordination.eventlog import EventLog, Reader, Record, TopicPartition

logger: Final = logging.getLogger("coordination.agent")
BATCH: Final = 300
PATIENCE: Final = 60.0


class Shelf:
    """The memories of one partition number."""

    def __init__(self) -> None:
        self._memories: dict[str, Handled] = {}
        self._idempotency: dict[tuple[str, str], str] = {}

    def get(self, kind: Kind, key: str) -> Handled | None:
        """The memory of a piece of work."""
        return self._memories.get(name_of(kind, key))

    def keep(self, memory: Handled) -> None:
        """Remember it, and let it be found by its idempotency key too."""
        name = name_of(memory.kind, memory.key)
        self._memories[name] = memory
        if memory.idempotency is not None and memory.idempotency[1]:
            self._idempotency.setdefault(memory.idempotency[:2], name)

    def drop(self, memory: Handled) -> None:
        """Forget it."""
        self._memories.pop(name_of(memory.kind, memory.key), None)
        if memory.idempotency is not None:
            self._idempotency.pop(memory.idempotency[:2], None)

    def asked_for(self, scope: str, idempotency_key: str) -> Handled | None:
        """The work that was asked for under this key; `scope` is tenant and type."""
        return self._memories.get(self._idempotency.get((scope, idempotency_key), ""))

    def __iter__(self) -> Iterator[Handled]:
        return iter(list(self._memories.values()))

    def __len__(self) -> int:
        return len(self._memories)


class Ledger:
    """All shelves of one instance."""

    def __init__(self, group: str, topic: str) -> None:
        self.topic = topic
        self._group = group
        self._shelves: dict[int, Shelf] = {}

    def shelf(self, number: int) -> Shelf:
        """The shelf of a partition number; empty if it was never filled."""
        return self._shelves.setdefault(number, Shelf())

    def __iter__(self) -> Iterator[Handled]:
        for shelf in self._shelves.values():
            yield from shelf

    async def read_back(self, log: EventLog, numbers: Collection[int]) -> list[Handled]:
        """The memories of these partitions as they stand at their ends.

        The end is the high watermark, not the last stable offset: what a predecessor wrote in a transaction that
        is being committed just now must be seen too. Raises LogUnreachable.
        """
        ends = await log.ends([TopicPartition(self.topic, number) for number in numbers])
        reader = await log.reader({partition: end.begin for partition, end in ends.items()})
        found: dict[str, Handled | None] = {}
        try:
            async with asyncio.timeout(PATIENCE):
                await self._collect(reader, {partition: end.high for partition, end in ends.items()}, found)
        except TimeoutError as error:
            raise LogUnreachable(f"{self.topic} could not be read to its end in {PATIENCE:.0f} s.") from error
        finally:
            await reader.close()
        return [memory for memory in found.values() if memory is not None]

    def take_over(self, memories: Iterable[Handled], partitions: Collection[TopicPartition]) -> list[Handled]:
        """Put the memories of newly assigned partitions on their shelves; returns them."""
        taken = [memory for memory in memories if memory.source in partitions]
        for memory in taken:
            self.shelf(memory.partition).keep(memory)
        return taken

    def let_go(self, partition: TopicPartition) -> None:
        """Forget what belongs to a partition that was taken away: from now on somebody else knows better."""
        shelf = self.shelf(partition.partition)
        for memory in shelf:
            if memory.source == partition:
                shelf.drop(memory)

    async def _collect(
        self, reader: Reader, ends: Mapping[TopicPartition, int], found: dict[str, Handled | None]
    ) -> None:
        while any(position < ends[partition] for partition, position in reader.positions().items()):
            for record in await reader.read(BATCH, 1.0):
                entry = _read(record, self._group)
                if entry is not None:
                    found[entry[0]] = entry[1]


def _read(record: Record, group: str) -> tuple[str, Handled | None] | None:
    try:
        return read_record(record, group)
    except msgspec.DecodeError as error:
        # Losing one memory may do a task twice; refusing to start would stop all of them.
        logger.warning("Skipped %s-%s@%s: %s", record.topic, record.partition, record.offset, error)
        return None
