"""Events from a web request: the CloudEvents HTTP binding in binary, structured and batch mode.

Agents that cannot reach the log post their events. What comes in is checked as a reader would check it, and
goes on as a record in binary mode, on the topic and with the key that its type has in the catalogue.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from coordination.attributes import CONTENT_TYPE, MAX_DATA_BYTES, PREFIX
from coordination.decoding import Decoder
from coordination.encoding import KEY_FIELDS
from coordination.errors import MalformedRecord
from coordination.event import Event
from coordination.eventlog import CREATE_TIME, NewRecord, StoredRecord
from coordination.events import CATALOGUE
from coordination.manifest import Manifest
from coordination.structured import MEDIA_TYPE, Pairs, is_structured, unfold

HTTP_PREFIX: Final = "ce-"
BATCH: Final = f"{MEDIA_TYPE}-batch"
MAX_BATCH: Final = 1000

_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])


def from_http(headers: Iterable[tuple[str, str]], body: bytes, *, manifest: Manifest | None = None) -> list[NewRecord]:
    """The records of a request, in the order of the batch.

    Raises MalformedRecord; its `attribute` names the culprit, in a batch the message also the event's number.
    Whether the sender may write to these topics is for the caller to decide.
    """
    topics = manifest or Manifest()
    content_type, pairs = _split(headers)
    if content_type.lower().startswith(BATCH):
        return [_numbered(number, raw, topics) for number, raw in enumerate(_batch(body), start=1)]
    if is_structured(content_type):
        return [to_record(*unfold(body, content_type), topics)]
    return [to_record([(CONTENT_TYPE, content_type.encode()), *pairs], body or None, topics)]


def _split(headers: Iterable[tuple[str, str]]) -> tuple[str, Pairs]:
    content_type, pairs = "application/json", []
    for name, text in headers:
        lower = name.lower()
        if lower == CONTENT_TYPE:
            content_type = text
        elif lower.startswith(HTTP_PREFIX):
            pairs.append((PREFIX + lower[len(HTTP_PREFIX) :], _unquoted(text)))
    return content_type, pairs


def _unquoted(text: str) -> bytes:
    """A header value as the binding writes it: in double quotes or not, other than plain ASCII as %XX."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return unquote_to_bytes(text)


def _batch(body: bytes) -> list[msgspec.Raw]:
    try:
        members = _ARRAY.decode(body)
    except (ValueError, RecursionError) as error:
        raise MalformedRecord(f"the batch is no JSON array: {error}", stage="envelope") from None
    if len(members) > MAX_BATCH:
        raise MalformedRecord(f"{len(members)} events, at most {MAX_BATCH} fit one request", stage="size")
    return members


def _numbered(number: int, raw: msgspec.Raw, manifest: Manifest) -> NewRecord:
    try:
        return to_record(*unfold(bytes(raw), MEDIA_TYPE), manifest)
    except MalformedRecord as error:
        raise MalformedRecord(
            f"event {number} of the batch: {error}", stage=error.stage, attribute=error.attribute
        ) from None


def to_record(pairs: Pairs, value: bytes | None, manifest: Manifest) -> NewRecord:
    """The record of one event given as headers and value, on the topic and with the key of its type.

    Raises MalformedRecord.
    """
    if value is not None and len(value) > MAX_DATA_BYTES:
        raise MalformedRecord(
            f"{len(value)} bytes of data, at most {MAX_DATA_BYTES}; put them behind dataref",
            stage="size",
            attribute="data",
        )
    event = _decoded(pairs, value, manifest)
    topic, key = _home(event, manifest)
    if not event.partition_key:
        pairs = [*pairs, (f"{PREFIX}partitionkey", key.encode())]
    return NewRecord(topic, key.encode(), value, tuple(pairs))


def _decoded(pairs: Pairs, value: bytes | None, manifest: Manifest) -> Event:
    """The event as a reader would see it. No topic yet: where it belongs follows from what it says."""
    record = StoredRecord("", 0, 0, 0, CREATE_TIME, None, value, tuple(pairs))
    return Decoder(manifest).decode(record)


def _home(event: Event, manifest: Manifest) -> tuple[str, str]:
    """Topic and key of an event. A foreign type goes where its run is told, or to operations without a run.

    Without the attribute that should be the key, the key is whatever keeps the events of one thing in order.
    """
    other = event.partition_key or event.subject or event.source
    if event.known:
        entry = CATALOGUE[event.name]
        return manifest.topic_for(event.name), getattr(event, KEY_FIELDS[entry.key]) or other
    if event.run_id:
        return manifest.topic_named("run.workflow.events"), event.run_id
    return manifest.topic_named("ops.events"), other
