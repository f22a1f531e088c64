"""Sorting what was read: events to fold, dead letters, and records that are no events.

Records are sorted in small chunks as they are read: each is decoded, keyed and packed while it is still in the
processor's cache, and let go of. Done in three passes over thousands of records, the same cost half as much again.

Nothing a record holds can raise from here. A record that cannot be read becomes a Rejection with the stage and
the reason; even a fault of our own while reading one record does not stop the others.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from coordination.envelope import Decoder
from coordination.errors import MalformedRecord
from coordination.event import Event
from coordination.eventlog import Record, TopicPartition
from coordination.manifest import Manifest
from coordination.recordchain import record_digest
from dashboard.ingest.keys import event_key
from dashboard.ingest.letters import letter_fields
from dashboard.segments import pack_one, unpack_one

log = logging.getLogger(__name__)


class Rejection(msgspec.Struct, frozen=True):
    """A record that is no event: where the reading stopped, at which attribute, and why."""

    record: Record
    stage: str
    attribute: str
    reason: str


class Span(msgspec.Struct):
    """What was read of one partition: first and last offset, how many records, append time (ms) of the last, and
    the digest of each for the chain (see `dashboard.ingest.heads`)."""

    first: int
    last: int
    count: int
    last_timestamp: int
    digests: list[bytes] = []


class Sorted(msgspec.Struct):
    """A batch after decoding, in the order read. `packed[i]` holds the record of `events[i]` byte for byte (see
    `dashboard.segments`), `keys[i]` its key; `spans` is what was read of each partition, whatever became of it."""

    events: list[Event] = []
    packed: list[bytes] = []
    keys: list[int] = []
    letters: list[dict[str, Any]] = []
    rejections: list[Rejection] = []
    spans: dict[TopicPartition, Span] = {}

    def __len__(self) -> int:
        return len(self.events) + len(self.letters) + len(self.rejections)

    def records(self) -> list[Record]:
        """All records again, by partition and offset."""
        found: list[Record] = [unpack_one(one) for one in self.packed]
        found += [unpack_one(letter["record"]) for letter in self.letters]
        found += [rejection.record for rejection in self.rejections]
        return sorted(found, key=lambda record: (record.topic, record.partition, record.offset))


class Sorter:
    """Decodes records by a manifest. `now` gives µs, for events that claim to come from the future."""

    def __init__(self, manifest: Manifest, now: Callable[[], int]) -> None:
        self._decoder = Decoder(manifest)
        self._now = now
        self._letter_topics = {
            topic for topic in manifest.topics if (declared := manifest.declared(topic)) and declared.dead_letters
        }

    def sort(self, records: Iterable[Record], batch: Sorted | None = None) -> Sorted:
        """Add each record to exactly one of the lists of a batch; a new batch if none is given."""
        batch = Sorted() if batch is None else batch
        decode, now = self._decoder.decode, self._now()
        events, packed, keys = batch.events.append, batch.packed.append, batch.keys.append
        for record in records:
            _enter(batch.spans, record)
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
                events(event)
                packed(pack_one(record))
                keys(event_key(event))
        return batch


def _enter(spans: dict[TopicPartition, Span], record: Record) -> None:
    place = TopicPartition(record.topic, record.partition)
    span = spans.get(place)
    if span is None:
        span = spans[place] = Span(record.offset, record.offset, 1, record.timestamp)
    else:
        span.last = record.offset
        span.count += 1
        span.last_timestamp = record.timestamp
    span.digests.append(record_digest(record))
