"""How an event is written: binary mode only, key and topic by the catalogue and the manifest."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from coordination.attributes import (
    CONTENT_TYPE,
    MAX_ATTRIBUTES,
    MAX_DATA_BYTES,
    MAX_HEADER_BYTES,
    PREFIX,
    check,
)
from coordination.errors import MalformedRecord, RecordTooLarge
from coordination.event import Event
from coordination.eventlog import NewRecord
from coordination.events import CATALOGUE, EventType
from coordination.ids import sequence as padded
from coordination.instants import rfc3339
from coordination.manifest import Manifest

_ENCODER: Final = msgspec.json.Encoder()
_COORD: Final = Manifest()
# A dead letter of a foreign family may not say whose it is.
UNKNOWN_GROUP: Final = "unknown"

# Field of an Event -> attribute, in the order they are written.
_TEXTS: Final = (
    ("id", "id"),
    ("source", "source"),
    ("type", "type"),
    ("subject", "subject"),
    ("tenant", "tenant"),
    ("agent_id", "agentid"),
    ("agent_group", "agentgroup"),
    ("run_id", "correlationid"),
    ("causation_id", "causationid"),
    ("task_id", "taskid"),
    ("parent_task_id", "parenttaskid"),
    ("target_group", "targetgroup"),
    ("fold_key", "foldkey"),
    ("idempotency_key", "idempotencykey"),
    ("fanout_id", "fanoutid"),
    ("sequence", "sequence"),
    ("partition_key", "partitionkey"),
)
_NUMBERS: Final = (
    ("attempt", "attempt"),
    ("fanout_index", "fanoutindex"),
    ("fanout_count", "fanoutcount"),
)
# Where the id in `subject` = `<kind>/<id>` comes from: a field of the event or of its data.
_SUBJECTS: Final[Mapping[str, str]] = {
    "task": "task_id",
    "run": "run_id",
    "fanout": "fanout_id",
    "agent": "agent_id",
}
_DATA_SUBJECTS: Final[Mapping[str, str]] = {
    "toolcall": "tool_call_id",
    "approval": "approval_id",
    "group": "group",
}
# The field of an Event that holds the key attribute of a catalogue entry.
KEY_FIELDS: Final[Mapping[str, str]] = {
    "taskid": "task_id",
    "correlationid": "run_id",
    "agentid": "agent_id",
    "subject": "subject",
}


def encode(event: Event, *, max_data: int = MAX_DATA_BYTES) -> NewRecord:
    """The record of an event in binary mode; the key is the event's partition key.

    `max_data` bytes of data are allowed. Raises RecordTooLarge (then put the data behind `dataref`) and
    MalformedRecord for an attribute over its limit or with control characters.
    """
    pairs = [("specversion", "1.0")]
    pairs += [(name, text) for field, name in _TEXTS if (text := getattr(event, field))]
    pairs += [(name, str(number)) for field, name in _NUMBERS if (number := getattr(event, field)) is not None]
    pairs.append(("time", rfc3339(event.time)))
    if event.expiry_at is not None:
        pairs.append(("expirytime", rfc3339(event.expiry_at)))
    pairs += event.extensions.items()
    value = None if event.data is None else _ENCODER.encode(event.data)
    key = event.partition_key.encode() if event.partition_key else None
    return NewRecord(event.topic, key, value, _headers(pairs, value, max_data))


def _headers(pairs: list[tuple[str, str]], value: bytes | None, max_data: int) -> tuple[tuple[str, bytes], ...]:
    for name, text in pairs:
        check(name, text)
    headers = ((CONTENT_TYPE, b"application/json"), *((PREFIX + name, text.encode()) for name, text in pairs))
    size = sum(len(name) + len(text) for name, text in headers)
    if len(pairs) > MAX_ATTRIBUTES or size > MAX_HEADER_BYTES:
        raise RecordTooLarge(
            f"{len(pairs)} attributes of {size} bytes; at most {MAX_ATTRIBUTES} of {MAX_HEADER_BYTES} are allowed"
        )
    if value is not None and len(value) > max_data:
        raise RecordTooLarge(f"{len(value)} bytes of data, at most {max_data} are allowed; put them behind dataref")
    return headers


def new_event(
    name: str,
    *,
    source: str,
    time: int,
    id: str,  # noqa: A002 - the attribute's own name
    run_id: str = "",
    task_id: str | None = None,
    causation: str | None = None,
    data: Any = None,
    topic: str | None = None,
    tenant: str = "default",
    agent_id: str = "",
    agent_group: str = "",
    parent_task_id: str = "",
    attempt: int | None = None,
    target_group: str = "",
    fold_key: str = "",
    idempotency_key: str = "",
    fanout_id: str = "",
    fanout_index: int | None = None,
    fanout_count: int | None = None,
    sequence: int | None = None,
    expiry_at: int | None = None,
    subject: str | None = None,
    extensions: Mapping[str, str] | None = None,
    manifest: Manifest = _COORD,
    max_data: int = MAX_DATA_BYTES,
) -> NewRecord:
    """A new event of the catalogue as a record: type, topic, subject, key and partition key follow from its name.

    `time` and `expiry_at` are microseconds; `data` is the schema's struct or a dict that is checked against it.
    Raises KeyError for a name outside the catalogue, MalformedRecord for data or attributes against the protocol,
    RecordTooLarge.
    """
    entry = CATALOGUE[name]
    data = _conform(entry, data)
    event = Event(
        id=id,
        source=source,
        type=entry.type,
        name=name,
        known=True,
        time=time,
        at=time,
        tenant=tenant,
        agent_id=agent_id,
        agent_group=agent_group,
        run_id=run_id,
        causation_id=causation or "",
        task_id=task_id or "",
        parent_task_id=parent_task_id,
        attempt=attempt,
        target_group=target_group,
        fold_key=fold_key,
        idempotency_key=idempotency_key,
        fanout_id=fanout_id,
        fanout_index=fanout_index,
        fanout_count=fanout_count,
        sequence=None if sequence is None else padded(sequence),
        expiry_at=expiry_at,
        extensions=dict(extensions or {}),
        data=data,
        topic=topic or manifest.topic_for(name),
    )
    return encode(_addressed(event, entry, subject), max_data=max_data)


def _conform(entry: EventType, data: Any) -> Any:
    if isinstance(data, entry.schema):
        return data
    try:
        # Checked, not converted: fields the schema does not know travel on.
        msgspec.convert({} if data is None else data, entry.schema)
    except msgspec.ValidationError as error:
        raise MalformedRecord(f"data of {entry.name}: {error}", stage="data", attribute="data") from None
    return {} if data is None else data


def _addressed(event: Event, entry: EventType, subject: str | None) -> Event:
    """The event with its subject and its partition key."""
    if subject is None:
        subject = _subject(event, entry)
    known = msgspec.structs.replace(event, subject=subject)
    key = getattr(known, KEY_FIELDS[entry.key])
    if not key:
        raise MalformedRecord(
            f"{entry.name} needs {entry.key}: it is the record's key", stage="envelope", attribute=entry.key
        )
    return msgspec.structs.replace(known, partition_key=key)


def _subject(event: Event, entry: EventType) -> str:
    if entry.subject in _SUBJECTS:
        ident = getattr(event, _SUBJECTS[entry.subject])
    else:
        ident = _from_data(event.data, _DATA_SUBJECTS[entry.subject])
    if not ident and entry.subject == "group":
        ident = event.agent_group or UNKNOWN_GROUP
    return f"{entry.subject}/{ident}" if ident else ""


def _from_data(data: Any, field: str) -> str:
    return str(data.get(field, "") if isinstance(data, dict) else getattr(data, field, ""))
