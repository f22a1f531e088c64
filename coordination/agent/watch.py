"""Watching for the ends of tasks somebody here waits for.

Sub-tasks and branches are spread over all partitions, while whoever waits for them is assigned only some. So an
instance with something to wait for reads the task facts itself, beside its consumer group, and looks at nothing
but the ends of what it waits for. It starts at the end the log has when the first wait begins; after a restart it
goes back to where the oldest wait began. Being told an end twice is harmless: whoever is told checks.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from coordination.envelope import Decoder
from coordination.errors import CoordinationError, MalformedRecord, OffsetOutOfRange
from coordination.event import Event
from coordination.eventlog import EventLog, Reader, Record, TopicPartition

Tell = Callable[[Event], Awaitable[None]]
logger: Final = logging.getLogger("coordination.agent")
ENDS: Final = {
    "task.completed": "completed",
    "task.failed": "failed",
    "task.canceled": "canceled",
    "task.rejected": "rejected",
    "task.expired": "expired",
}
"""The facts that end a task, and the state they leave it in."""
BATCH: Final = 200
_TYPES: Final = frozenset(f"coordination.{name}".encode() for name in ENDS)
_INTERESTING: Final = frozenset(("ce_type", "ce_taskid", "ce_fanoutid"))


class Watch:
    """Reads the task facts of a log and tells the ends of what is followed."""

    def __init__(self, log: EventLog, topic: str, decoder: Decoder) -> None:
        self._log = log
        self._topic = topic
        self._decoder = decoder
        self._followed: set[bytes] = set()
        self._reader: Reader | None = None
        self._begun = asyncio.Event()
        self._opening = asyncio.Lock()

    async def since(self) -> dict[int, int]:
        """From where on the end of something that is asked for now will be found: position per partition."""
        reader = await self._open()
        return {partition.partition: offset for partition, offset in reader.positions().items()}

    def follow(self, ident: str) -> None:
        """Tell the ends of this task, or of the branches of this fan-out, from now on."""
        self._followed.add(ident.encode())

    def forget(self, ident: str) -> None:
        """Follow it no more."""
        self._followed.discard(ident.encode())

    async def back_to(self, since: Mapping[int, int]) -> None:
        """Read again from there, where that is behind the present position."""
        reader = await self._open()
        for partition, position in reader.positions().items():
            if since.get(partition.partition, position) < position:
                await reader.seek(partition, since[partition.partition])

    async def run(self, tell: Tell) -> None:
        """Watch until cancelled; `tell` is awaited for each end, in order. Troubles of the log are waited out."""
        await self._begun.wait()
        silent = False
        while True:
            try:
                await self._read_on(tell)
                silent = False
            except CoordinationError as error:
                if not silent:
                    logger.warning("Cannot watch %s, trying again: %s", self._topic, error)
                silent = True
                await asyncio.sleep(0.5)

    async def close(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            await self._reader.close()

    async def _open(self) -> Reader:
        async with self._opening:
            if self._reader is None:
                count = (await self._log.topics())[self._topic].partitions
                ends = await self._log.ends([TopicPartition(self._topic, number) for number in range(count)])
                self._reader = await self._log.reader({partition: end.high for partition, end in ends.items()})
                self._begun.set()
        return self._reader

    async def _read_on(self, tell: Tell) -> None:
        reader = await self._open()
        try:
            for record in await reader.read(BATCH, 1.0):
                if self._matters(record):
                    await self._report(record, tell)
        except OffsetOutOfRange as error:
            logger.warning("Facts were deleted before they were read: %s", error)
            await self._to_the_kept(reader)

    async def _report(self, record: Record, tell: Tell) -> None:
        where = f"{record.topic}-{record.partition}@{record.offset}"
        try:
            await tell(self._decoder.decode(record))
        except MalformedRecord as error:
            logger.warning("The end of a task at %s cannot be read: %s", where, error)
        except Exception:
            # One end that cannot be taken in must not keep all others from being heard.
            logger.exception("The end of a task at %s was not taken in.", where)

    async def _to_the_kept(self, reader: Reader) -> None:
        positions = reader.positions()
        for partition, end in (await self._log.ends(list(positions))).items():
            if not end.begin <= positions[partition] <= end.high:
                await reader.seek(partition, end.begin)

    def _matters(self, record: Record) -> bool:
        if not self._followed:
            return False
        found = {name: value for name, value in record.headers if name in _INTERESTING}
        return found.get("ce_type") in _TYPES and (
            found.get("ce_taskid") in self._followed or found.get("ce_fanoutid") in self._followed
        )
