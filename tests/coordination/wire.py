"""Records as they lie on the wire, for the tests of the envelope."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from coordination.eventlog import APPEND_TIME, NewRecord, StoredRecord

NOON = 1_777_636_800_000_000
TIME = "2026-05-01T12:00:00.000250Z"
TIME_MICROS = NOON + 250

PLAIN: Mapping[str, str] = {
    "specversion": "1.0",
    "id": "0190e1c5-7b3a-7c3e-8a52-1f0c5c3d9e11",
    "source": "/demo/agents/coder-3/a1",
    "type": "coordination.task.started",
    "time": TIME,
    "subject": "task/t-1",
    "tenant": "default",
    "agentid": "coder-3",
    "agentgroup": "coder",
    "correlationid": "run-1",
    "causationid": "cause-1",
    "taskid": "t-1",
    "attempt": "1",
    "sequence": "0000000000000000007",
    "partitionkey": "t-1",
}


def headers(**changes: str | bytes | None) -> tuple[tuple[str, bytes], ...]:
    """The headers of PLAIN with changes; None leaves an attribute out."""
    merged: dict[str, str | bytes | None] = {**PLAIN, **changes}
    return (
        ("content-type", b"application/json"),
        *((f"ce_{name}", _bytes(text)) for name, text in merged.items() if text is not None),
    )


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def record(
    given: Sequence[tuple[str, bytes]] | None = None,
    value: bytes | None = b"{}",
    *,
    key: bytes | None = b"t-1",
    topic: str = "coord.run.task.events",
    timestamp: int = NOON // 1000,
    timestamp_type: int | None = APPEND_TIME,
    **changes: str | bytes | None,
) -> StoredRecord:
    """A record in binary mode: a started task, unless headers or attributes say otherwise."""
    pairs = tuple(headers(**changes) if given is None else given)
    return StoredRecord(topic, 3, 42, timestamp, timestamp_type, key, value, pairs)


def structured(body: Any, *, key: bytes | None = b"t-1", given: Sequence[tuple[str, bytes]] = ()) -> StoredRecord:
    """A record in structured mode; `body` is an object, or bytes to be taken as they are."""
    value = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return record((("content-type", b"application/cloudevents+json; charset=utf-8"), *given), value, key=key)


def appended(new: NewRecord, *, timestamp: int = NOON // 1000, timestamp_type: int = APPEND_TIME) -> StoredRecord:
    """A new record as it would be read back."""
    return StoredRecord(new.topic, 3, 42, timestamp, timestamp_type, new.key, new.value, new.headers)
