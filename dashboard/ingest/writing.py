"""Writing a batch: rows, records, keys, positions and what was rejected, all in one transaction or not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import transaction

from coordination.errors import CoordinationError
from coordination.event import Event
from coordination.eventlog import TopicPartition
from coordination.events.shapes import Failure
from coordination.rows import Touched
from dashboard.hiding import hidden
from dashboard.ingest.fingerprint import fingerprint
from dashboard.ingest.keys import Deduplicator, Seen
from dashboard.ingest.letters import hidden_letter
from dashboard.ingest.rowwriting import RowWriter
from dashboard.ingest.sorting import Rejection, Sorted, Span
from dashboard.ingest.store import Advance, SegmentRow, Store, StretchRow
from dashboard.ingest.typecounts import count
from dashboard.ingest.working import WorkingSet
from dashboard.models import DeadLetter, Duplicate, Rejected
from dashboard.policies import rules
from dashboard.segments import SEGMENTS_A_BATCH, Packer, pack_one, task_bit, unpack_one


class Fenced(CoordinationError):
    """These shards belong to another worker by now; nothing of the batch was written."""

    code = "shard_fenced"

    def __init__(self, shards: set[str]) -> None:
        super().__init__(f"Shards {', '.join(sorted(shards))} were taken over by another worker.")
        self.shards = shards


class Reading(msgspec.Struct):
    """A batch to write: what was sorted, where the positions must stand and go, and the shards it touches with the
    epochs we hold them under."""

    batch: Sorted
    advances: Sequence[Advance]
    leases: Mapping[str, int]


class Written(msgspec.Struct):
    """What a committed batch did. `runs` are the summaries that were written, by run id."""

    touched: Touched
    events: int
    duplicates: int
    letters: int
    rejections: int
    runs: dict[str, tuple[Any, ...]] = {}


class BatchWriter:
    """Writes batches for one thread. `clock` gives µs for the batch's own entry, which no picture uses."""

    def __init__(
        self,
        store: Store,
        working: WorkingSet,
        identity: Callable[[str, int, int], tuple[str, str] | None],
        worker: str,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._working = working
        self.rows = RowWriter(store, working)
        self._worker = worker
        self._clock = clock
        self._packer = Packer()
        self._deduplicator = Deduplicator(store.enter_keys, identity)

    def prepare(self) -> None:
        """Make the connection and the dictionary ready; again after the connection was lost."""
        self._store.open()
        self._packer.keep_dictionary()

    def write(self, reading: Reading, *, lock: bool = False) -> Written:
        """Write a batch. Raises Fenced, Conflict, or what the database raises; then forget the working set.

        With `lock` every row is read and locked first: for rows that somebody else writes too.
        """
        with transaction.atomic(), self._all_or_nothing():
            written = self._write(reading, lock)
        if not self._store.summaries_inside and written.touched.run_parts:
            with transaction.atomic(), self._all_or_nothing():
                written.runs = self.rows.summarise(written.touched.runs)
                self._store.settle()
        self._working.used(written.touched)
        return written

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._store.discard()
            raise

    def _write(self, reading: Reading, lock: bool) -> Written:
        store, batch = self._store, reading.batch
        lost = set(reading.leases) - store.lock(reading.leases)
        if lost:
            raise Fenced(lost)
        seen = self._deduplicator.duplicates(batch.events, batch.keys) if batch.events else []
        _keep_aside(batch, seen)
        events, packed = _without(batch, seen)
        count(events, batch.rejections, self._working.layout.shard, self._clock())
        written = Written(Touched(), len(events), len(seen), len(batch.letters), len(batch.rejections))
        if events:
            self._write_events(events, packed, batch.spans, written, lock)
        store.advance(reading.advances)
        store.settle()
        return written

    def _write_events(
        self,
        events: Sequence[Event],
        packed: Sequence[bytes],
        read: Mapping[TopicPartition, Span],
        written: Written,
        lock: bool,
    ) -> None:
        store = self._store
        batch_id = store.new_batch(self._worker, self._clock(), len(events))
        masks = rules()
        written.touched = self.rows.fold([hidden(event, masks) for event in events], lock=lock)
        if store.summaries_inside:
            written.runs = self.rows.summarise(written.touched.runs)
        segments = self._segments(batch_id, events, packed)
        stretches = [StretchRow(*partition, span.first, span.last, batch_id) for partition, span in read.items()]
        store.add_segments(segments, stretches)

    def _segments(self, batch_id: int, events: Sequence[Event], packed: Sequence[bytes]) -> list[SegmentRow]:
        runs: dict[str, _Segment] = {}
        for event, one in zip(events, packed, strict=True):
            segment = runs.get(event.run_id)
            if segment is None:
                segment = runs[event.run_id] = _Segment(event.at, event.at)
            elif event.at > segment.last_at:
                segment.last_at = event.at
            elif event.at < segment.first_at:
                segment.first_at = event.at
            segment.tasks.add(event.task_id)
            segment.packed.append(one)
        first = batch_id * SEGMENTS_A_BATCH
        return [self._row(first + number, run_id, segment) for number, (run_id, segment) in enumerate(runs.items())]

    def _row(self, segment_id: int, run_id: str, segment: "_Segment") -> SegmentRow:
        tasks = 0
        for task_id in segment.tasks:
            tasks |= task_bit(task_id)
        return SegmentRow(
            segment_id,
            run_id,
            segment.first_at,
            segment.last_at,
            len(segment.packed),
            tasks,
            self._packer.dictionary_id,
            self._packer.pack_packed(segment.packed),
        )


class _Segment:
    """The records of one run in a batch, as they are gathered."""

    __slots__ = ("first_at", "last_at", "packed", "tasks")

    def __init__(self, first_at: int, last_at: int) -> None:
        self.first_at = first_at
        self.last_at = last_at
        self.tasks: set[str] = set()
        self.packed: list[bytes] = []


def _without(batch: Sorted, seen: Sequence[Seen]) -> tuple[Sequence[Event], Sequence[bytes]]:
    if not seen:
        return batch.events, batch.packed
    gone = {one.number for one in seen}
    kept = [index for index in range(len(batch.events)) if index not in gone]
    return [batch.events[index] for index in kept], [batch.packed[index] for index in kept]


def _keep_aside(batch: Sorted, seen: Sequence[Seen]) -> None:
    if seen:
        Duplicate.objects.bulk_create([_duplicate(batch.packed[one.number], one.of_offset) for one in seen])
    if batch.letters:
        masks = rules()
        DeadLetter.objects.bulk_create([DeadLetter(**hidden_letter(fields, masks)) for fields in batch.letters])
    if batch.rejections:
        Rejected.objects.bulk_create([_rejected(rejection) for rejection in batch.rejections])


def _duplicate(packed: bytes, of_offset: int) -> Duplicate:
    record = unpack_one(packed)
    return Duplicate(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        of_offset=of_offset,
        at=record.timestamp * 1000,
        record=packed,
    )


def _rejected(rejection: Rejection) -> Rejected:
    record = rejection.record
    reason = rejection.reason.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return Rejected(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=record.timestamp * 1000,
        stage=rejection.stage,
        attribute=rejection.attribute,
        reason=reason,
        fingerprint=fingerprint(Failure(type=rejection.stage, message=reason)),
        record=pack_one(record),
    )
