"""Stored records: what was read from the log, byte for byte, by run, by task or by position; events of runs and
tasks as masking leaves them, because pages show those.

Nothing here asks the log. Records come out of compressed segments (`dashboard.segments`); rejected records, dead
letters and duplicates are kept beside them and found by position too.
"""

from collections.abc import Iterable, Iterator

from django.db.models import QuerySet

from coordination.envelope import Decoder
from coordination.errors import MalformedRecord
from coordination.event import Event
from coordination.eventlog import StoredRecord
from dashboard.hiding import hidden
from dashboard.manifest import manifest
from dashboard.models import DeadLetter, Duplicate, Rejected, Segment, Stretch
from dashboard.policies import rules
from dashboard.segments import SEGMENTS_A_BATCH, task_bit, unpack, unpack_one


def record_at(topic: str, partition: int, offset: int) -> StoredRecord | None:
    """The record at a position, whatever became of it; None if it was never read."""
    for record in _batch_of(topic, partition, offset):
        if (record.offset, record.partition, record.topic) == (offset, partition, topic):
            return record
    for aside in (DeadLetter, Rejected, Duplicate):
        kept = aside.objects.filter(topic=topic, partition=partition, offset=offset).order_by("-at").first()
        if kept is not None:
            return unpack_one(bytes(kept.record))
    return None


def records_of_run(run_id: str) -> Iterator[StoredRecord]:
    """All records of a run in the order they were read: in offset order within each partition."""
    return _records(Segment.objects.filter(run_id=run_id))


def records_of_task(run_id: str, task_id: str) -> list[StoredRecord]:
    """The records of a run that may be about a task: those that hold its id anywhere. Order as read."""
    bit, needle = task_bit(task_id), task_id.encode()
    segments = Segment.objects.filter(run_id=run_id)
    return [record for record in _records(segments, bit) if _mentions(record, needle)]


def events_of_run(run_id: str) -> list[Event]:
    """The events of a run in log order (see `in_log_order`)."""
    return in_log_order(records_of_run(run_id))


def ends_of_run(run_id: str) -> list[Event]:
    """The events in the first and the last stored segments of a run: where it says how it began and ended."""
    rows = Segment.objects.filter(run_id=run_id).order_by("id").values_list("pk", flat=True)
    chosen = {*rows[:2], *rows.reverse()[:2]}
    return list(_shown(_records(Segment.objects.filter(pk__in=chosen))))


def events_of_task(run_id: str, task_id: str) -> list[Event]:
    """The events of one task in log order."""
    return [event for event in in_log_order(records_of_task(run_id, task_id)) if event.task_id == task_id]


def event_at(topic: str, partition: int, offset: int) -> Event | None:
    """The event at a position; None if it was never read, or is no event."""
    record = record_at(topic, partition, offset)
    return next(iter(decoded([record])), None) if record is not None else None


def effects_of(event: Event) -> list[Event]:
    """The events of the same run that name this one as their cause, in log order."""
    needle = event.id.encode()
    found = (record for record in records_of_run(event.run_id) if _mentions(record, needle))
    return [effect for effect in in_log_order(found) if effect.causation_id == event.id]


def cause_of(event: Event) -> Event | None:
    """The event of the same run that triggered this one, None if it is a root or was not read."""
    if not event.causation_id:
        return None
    needle = event.causation_id.encode()
    found = _shown(record for record in records_of_run(event.run_id) if _mentions(record, needle))
    return next((cause for cause in found if cause.id == event.causation_id), None)


def in_log_order(records: Iterable[StoredRecord]) -> list[Event]:
    """Events ordered by (t, topic, partition, offset), t the running maximum of instants in their partition.

    So causes stand before effects as far as clocks allow, and never is a partition's own order broken.
    """
    reached: dict[tuple[str, int], int] = {}
    ordered: list[tuple[int, str, int, int, Event]] = []
    for event in sorted(_shown(records), key=lambda event: (event.topic, event.partition, event.offset)):
        place = (event.topic, event.partition)
        at = reached[place] = max(event.at, reached.get(place, event.at))
        ordered.append((at, event.topic, event.partition, event.offset, event))
    ordered.sort(key=lambda entry: entry[:4])
    return [entry[4] for entry in ordered]


def _shown(records: Iterable[StoredRecord]) -> Iterator[Event]:
    """Events as pages show them."""
    masks = rules()
    return (hidden(event, masks, whole=True) for event in decoded(records))


def decoded(records: Iterable[StoredRecord]) -> Iterator[Event]:
    """The events of records; what cannot be decoded by this release any more is left out, not raised."""
    decoder = Decoder(manifest())
    for record in records:
        try:
            yield decoder.decode(record)
        except MalformedRecord:
            continue


def identity(topic: str, partition: int, offset: int) -> tuple[str, str] | None:
    """(source, id) of the event at a position: what duplicates are known by."""
    event = event_at(topic, partition, offset)
    return (event.source, event.id) if event is not None else None


def _records(segments: "QuerySet[Segment]", bit: int = 0) -> Iterator[StoredRecord]:
    rows = segments.order_by("id").values_list("dictionary_id", "blob", "tasks")
    for dictionary, blob, tasks in rows.iterator(chunk_size=500):
        if tasks & bit == bit:
            yield from unpack(dictionary, bytes(blob))


def _batch_of(topic: str, partition: int, offset: int) -> Iterator[StoredRecord]:
    stretch = (
        Stretch.objects.filter(topic=topic, partition=partition, first_offset__lte=offset)
        .order_by("-first_offset")
        .first()
    )
    if stretch is None or stretch.last_offset < offset:
        return iter(())
    first = stretch.batch_id * SEGMENTS_A_BATCH
    return _records(Segment.objects.filter(id__gte=first, id__lt=first + SEGMENTS_A_BATCH))


def _mentions(record: StoredRecord, needle: bytes) -> bool:
    return (
        any(needle in value for _, value in record.headers)
        or needle in (record.key or b"")
        or needle in (record.value or b"")
    )
