"""Sorting what was read: events to fold, dead letters, and records that are no events.

Nothing a record holds can raise from here. A record that cannot be read becomes a Rejection with the stage and
the reason; even a fault of our own while reading one record does not stop the others.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from coordination.envelope import Decoder
from coordination.errors import MalformedRecord
from coordination.event import Event
from coordination.eventlog import Record, StoredRecord, TopicPartition
from coordination.manifest import Manifest
from dashboard.ingest.letters import letter_fields
from dashboard.segments import stored

log = logging.getLogger(__name__)


class Rejection(msgspec.Struct, frozen=True):
    """A record that is no event: where the reading stopped, at which attribute, and why."""

    record: Record
    stage: str
    attribute: str
    reason: str


class Sorted(msgspec.Struct):
    """A batch after decoding. `records[i]` holds the bytes of `events[i]`; both in the order read."""

    events: list[Event]
    records: list[StoredRecord]
    letters: list[dict[str, Any]]
    rejections: list[Rejection]


class Sorter:
    """Decodes records by a manifest. `now` gives µs, for events that claim to come from the future."""

    def __init__(self, manifest: Manifest, now: Callable[[], int]) -> None:
        self._decoder = Decoder(manifest)
        self._now = now
        self._letter_topics = {
            topic for topic in manifest.topics if (declared := manifest.declared(topic)) and declared.dead_letters
        }

    def sort(self, records: Iterable[Record]) -> Sorted:
        """Each record in exactly one of the lists."""
        batch = Sorted([], [], [], [])
        decode, now = self._decoder.decode, self._now()
        for record in records:
            if record.topic in self._letter_topics:
                batch.letters.append(letter_fields(record, self._decoder))
                continue
            try:
                event = decode(record, now=now)
            except MalformedRecord as error:
                batch.rejections.append(Rejection(record, error.stage, error.attribute, str(error)))
            except Exception as error:
                log.exception("Cannot decode %s-%s@%s", record.topic, record.partition, record.offset)
                batch.rejections.append(Rejection(record, "envelope", "", f"{type(error).__name__}: {error}"))
            else:
                batch.events.append(event)
                batch.records.append(stored(record))
        return batch


class Span(msgspec.Struct):
    """What was read of one partition: first and last offset, how many records, append time (ms) of the last."""

    first: int
    last: int
    count: int
    last_timestamp: int


def spans(records: Sequence[Record]) -> dict[TopicPartition, Span]:
    """The stretch of offsets read of each partition."""
    found: dict[tuple[str, int], Span] = {}
    for record in records:
        key = (record.topic, record.partition)
        span = found.get(key)
        if span is None:
            found[key] = Span(record.offset, record.offset, 1, record.timestamp)
        else:
            span.last = record.offset
            span.count += 1
            span.last_timestamp = record.timestamp
    return {TopicPartition(*key): span for key, span in found.items()}
