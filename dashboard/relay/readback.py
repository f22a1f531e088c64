"""Reading back: what really stands on the log, committed, between two offsets.

A record is ours if id, key and value are the same byte for byte. Someone who writes another value under one of our
ids has not sent our decision.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self

from coordination.errors import CoordinationError, LogUnreachable, OffsetOutOfRange
from coordination.eventlog import Appended, EventLog, NewRecord, Reader, Record, TopicPartition
from coordination.redrive import COUNT, REDRIVE_ID
from dashboard.relay.limits import within

MAX_RECORDS: Final = 200
POLL: Final = 0.5


class Stretch(NamedTuple):
    """Offsets to read: from `start` up to `end` (exclusive)."""

    start: int
    end: int


class Mark(NamedTuple):
    """What makes a record ours. A record that is put back is the same event byte for byte: its redrive tells it
    from the one that failed, and from those of other redrives."""

    topic: str
    partition: int
    id: bytes
    key: bytes | None
    value: bytes | None
    redrive: bytes


class Truncated(CoordinationError):
    """The log no longer has what is to be read back, so nobody can know whether it was there."""

    code = "read_back_truncated"


def mark_of(record: Record | NewRecord) -> Mark:
    """The mark of a record, whether it is to be sent or was read."""
    ident = redrive = b""
    for name, value in reversed(record.headers):
        if name == "ce_id":
            ident = bytes(value)
        elif name in (COUNT, REDRIVE_ID):
            redrive += bytes(value) + b"/"
    return Mark(record.topic, record.partition or 0, ident, record.key, record.value, redrive)


class ReadBack:
    """Reads stretches of the log, one after the other, with one reader as long as the partitions stay the same."""

    def __init__(self, log: EventLog, patience: float) -> None:
        self._log = log
        self._patience = patience
        self._reader: Reader | None = None
        self._partitions: frozenset[TopicPartition] = frozenset()

    async def find(self, wanted: Iterable[Mark], stretches: Mapping[TopicPartition, Stretch]) -> dict[Mark, Appended]:
        """Where the wanted records stand for the first time within these stretches; those not there are missing.

        Raises Truncated, LogUnreachable (the end was not reached in time), LogDenied, UnknownTopic.
        """
        left = {at: stretch for at, stretch in stretches.items() if stretch.start < stretch.end}
        marks, found = set(wanted), dict[Mark, Appended]()
        if not left:
            return found
        try:
            reader = await within(self._patience, "open a reader", self._from({at: s.start for at, s in left.items()}))
            async with asyncio.timeout(self._patience):
                while any(reader.positions()[at] < stretch.end for at, stretch in left.items()):
                    _collect(await reader.read(MAX_RECORDS, POLL), marks, left, found)
        except OffsetOutOfRange as error:
            raise Truncated(str(error)) from error
        except TimeoutError as error:
            raise LogUnreachable(f"The log could not be read back to its end within {self._patience:g} s.") from error
        return found

    async def _from(self, starts: Mapping[TopicPartition, int]) -> Reader:
        if self._reader is None or not starts.keys() <= self._partitions:
            await self.close()
            self._reader = await self._log.reader(starts)
            self._partitions = frozenset(starts)
        for partition, offset in starts.items():
            await self._reader.seek(partition, offset)
        return self._reader

    async def close(self) -> None:
        """Close the reader."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await within(self._patience, "close a reader", reader.close())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _collect(
    records: Sequence[Record],
    marks: set[Mark],
    stretches: Mapping[TopicPartition, Stretch],
    found: dict[Mark, Appended],
) -> None:
    for record in records:
        mark = mark_of(record)
        stretch = stretches.get(TopicPartition(record.topic, record.partition))
        if stretch is not None and mark in marks and record.offset < stretch.end:
            found.setdefault(mark, Appended(record.topic, record.partition, record.offset, record.timestamp))
