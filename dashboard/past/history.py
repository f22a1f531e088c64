"""The stored events of one run in the order of positions: which come before which, and what each changed.

Kept packed, so that a run of 100,000 records is some megabytes. A history grows with its run: `refresh` reads what
was stored since. A record of a slow partition may belong before others that are here already.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import zstandard
from django.db.models import Max, Min, Sum

from coordination.envelope import Decoder
from coordination.errors import MalformedRecord
from coordination.event import Event
from coordination.eventlog import StoredRecord
from coordination.instants import rfc3339
from coordination.replay import BadPosition, Placed, Position, read_time, steps
from coordination.rows import Layout
from dashboard.collector import without_collector
from dashboard.hiding import HidingDecoder
from dashboard.manifest import manifest
from dashboard.models import Segment
from dashboard.policies import rules
from dashboard.segments import unpack

CHUNK: Final = 256
LEVEL: Final = 1
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[StoredRecord])


class Stored(NamedTuple):
    """What the tables hold of a run, in three numbers that packing does not change: records, first and last µs."""

    records: int
    first_at: int
    last_at: int


class History:
    """Events are counted from 0; `positions[i]` is where event i stands.

    `changed` and `failed` tell of each event how many states it changed, and how many tasks it made fail; they are
    known after `tell`.
    """

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._begin()

    def _begin(self) -> None:
        self.positions: list[Position] = []
        self.changed, self.failed = array("H"), array("H")
        self.stored = Stored(0, 0, 0)
        self._chunks: list[bytes] = []
        self._reached: dict[tuple[str, int], tuple[int, int]] = {}
        self._segment = self._read = 0

    def __len__(self) -> int:
        return len(self.positions)

    def refresh(self) -> int:
        """Read what was stored since the last time. The first `refresh()` events are as they were before."""
        stored = stored_of(self.run_id)
        if stored == self.stored:
            return len(self)
        kept = self._take(self._segments(self._segment))
        if self._read != stored.records:  # something was stored behind our back: out of turn, or by a rebuild
            self._begin()
            self._take(self._segments(0))
            kept = 0
        self.stored = stored
        return kept

    def _segments(self, first: int) -> Iterator[StoredRecord]:
        rows = Segment.objects.filter(run_id=self.run_id, id__gte=first).order_by("id")
        for number, dictionary, blob in rows.values_list("id", "dictionary_id", "blob").iterator(chunk_size=500):
            self._segment = number
            yield from unpack(dictionary, bytes(blob))

    def _take(self, records: Iterator[StoredRecord]) -> int:
        decoder, placed = Decoder(manifest()), []
        for record in records:
            place = record.topic, record.partition
            following, latest = self._reached.get(place, (0, 0))
            if record.offset < following:
                continue
            self._read += 1
            try:
                latest = max(latest, decoder.decode(record).at)
            except MalformedRecord:  # this release cannot read it any more
                continue
            finally:
                self._reached[place] = record.offset + 1, latest
            placed.append((Position(latest, record.topic, record.partition, record.offset), record))
        return self._merge(placed) if placed else len(self)

    def _merge(self, placed: list[tuple[Position, StoredRecord]]) -> int:
        """Put records in their places; returns up to where the order is as it was."""
        placed.sort(key=_position)
        kept = bisect_left(self.positions, placed[0][0])
        whole = kept - kept % CHUNK
        after = list(zip(self.positions[whole:], self._records(whole, len(self)), strict=True))
        merged = sorted([*after, *placed], key=_position)
        del self.positions[whole:], self._chunks[whole // CHUNK :]
        del self.changed[kept:], self.failed[kept:]
        compress = zstandard.ZstdCompressor(level=LEVEL).compress
        for start in range(0, len(merged), CHUNK):
            part = merged[start : start + CHUNK]
            self.positions += [position for position, _ in part]
            self._chunks.append(compress(_encoder.encode([record for _, record in part])))
        return kept

    def _records(self, low: int, high: int) -> Iterator[StoredRecord]:
        decompress = zstandard.ZstdDecompressor().decompress
        for number in range(low // CHUNK, -(-high // CHUNK)):
            start = number * CHUNK
            yield from _decoder.decode(decompress(self._chunks[number]))[max(0, low - start) : high - start]

    def events(self, low: int, high: int) -> list[Event]:
        """The events from `low` up to before `high`."""
        return list(self._decoded(low, high))

    def _decoded(self, low: int, high: int) -> Iterator[Event]:
        return map(HidingDecoder(manifest(), rules()).decode, self._records(low, high))

    def count(self, to: str) -> int:
        """How many events lie at or before a position: topic-partition@offset, or an RFC 3339 time.

        Raises BadPosition, also where it lies before the first event.
        """
        found = bisect_right(self.positions, self._wanted(to))
        if not found:
            raise BadPosition(self._too_early(to))
        return found

    def _wanted(self, to: str) -> tuple[Any, ...]:
        if "@" not in to:
            return (read_time(to), chr(0x10FFFF))
        topic, _, rest = to.rpartition("-")
        number, _, offset = rest.partition("@")
        if number.isdecimal() and offset.isdecimal():
            wanted = (topic, int(number), int(offset))
            for position in self.positions:
                if position[3] == wanted[2] and position[1:] == wanted:
                    return position
        raise BadPosition(f"{to} is no position of this run; take one of those that its events show.")

    def _too_early(self, to: str) -> str:
        if not self.positions:
            return "No record of this run is stored, so nothing can be folded again."
        return f"At {to} nothing of this run had happened; its first record is of {rfc3339(self.positions[0].at)}."

    def vector(self, count: int) -> dict[tuple[str, int], int]:
        """The next offset of each partition after the first `count` events."""
        return {(one.topic, one.partition): one.offset + 1 for one in self.positions[:count]}

    def tell(self, layout: Layout) -> None:
        """Find out what each event changed, folding them one by one: `changed` and `failed`."""
        if len(self.changed) == len(self):
            return
        self.changed, self.failed = array("H"), array("H")
        placed = map(Placed, self.positions, self._decoded(0, len(self)))
        with without_collector():
            for step in steps(placed, layout):
                self.changed.append(min(len(step.changes), 0xFFFF))
                self.failed.append(min(step.failures, 0xFFFF))


def _position(pair: tuple[Position, Any]) -> Position:
    return pair[0]


def stored_of(run_id: str) -> Stored:
    """What the tables hold of a run."""
    found: dict[str, int | None] = Segment.objects.filter(run_id=run_id).aggregate(
        records=Sum("records"), first=Min("first_at"), last=Max("last_at")
    )
    return Stored(found["records"] or 0, found["first"] or 0, found["last"] or 0)


def failures(history: History) -> Sequence[int]:
    """The numbers of the events that made a task fail; after `tell`."""
    return [number for number, count in enumerate(history.failed) if count]
