"""Dead letters: the record that could not be handled, byte for byte, with what went wrong in headers.

`dlq.<namespace>.<class>` keeps key, value and headers as they were, and adds `__dlq.errors.*` (where it stood, who
gave up, after how many deliveries) and `coordination.errors.*` (stage, code, exception, time, retryable) as text.
Whoever redrives takes exactly these headers off again and counts in `coordination-redrive-count`.
"""

from typing import Final, Literal

import msgspec

from coordination.eventlog import MAX_RECORD_BYTES, NewRecord, Record, record_bytes
from coordination.instants import rfc3339
from coordination.manifest import TOPICS, Manifest

PREFIXES: Final = ("__dlq.errors.", "coordination.errors.")
MAX_TEXT: Final = 4_000

Stage = Literal["envelope", "data", "size", "handler", "idempotency", "routing"]


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a record is given up. `code` is a stable word, `message` a sentence, `deliveries` counts the tries."""

    stage: Stage
    code: str
    message: str
    exception: str = ""
    retryable: bool = False
    deliveries: int = 1


def dead_letter(record: Record, reason: Reason, *, group: str, at: int, manifest: Manifest) -> NewRecord:
    """The dead letter of `record`, given up by the consumer group `group` at `at` (µs).

    A record so large that the headers do not fit beside it goes without its value; a header says where it stands.
    """
    added = [(name, _text(value)) for name, value in _errors(record, reason, group, at).items()]
    topic = manifest.topic_named(f"dlq.{_access(record.topic, manifest)}")
    letter = NewRecord(topic, record.key, record.value, (*record.headers, *added))
    if record_bytes(letter) <= MAX_RECORD_BYTES:
        return letter
    left_out = _text(f"left out, {len(record.value or b'')} bytes at {record.topic}-{record.partition}@{record.offset}")
    return NewRecord(topic, record.key, None, (*letter.headers, ("coordination.errors.value", left_out)))


def _errors(record: Record, reason: Reason, group: str, at: int) -> dict[str, str]:
    return {
        "__dlq.errors.topic": record.topic,
        "__dlq.errors.partition": str(record.partition),
        "__dlq.errors.offset": str(record.offset),
        "__dlq.errors.group": group,
        "__dlq.errors.delivery.count": str(reason.deliveries),
        "__dlq.errors.message": reason.message,
        "coordination.errors.stage": reason.stage,
        "coordination.errors.code": reason.code,
        "coordination.errors.exception": reason.exception,
        "coordination.errors.time": rfc3339(at),
        "coordination.errors.retryable": "true" if reason.retryable else "false",
    }


def _access(topic: str, manifest: Manifest) -> str:
    # A record of a topic outside the manifest was read by an agent, so it is run data.
    family = manifest.family_of(topic)
    return TOPICS[family].access if family is not None else "run"


def _text(value: str) -> bytes:
    return value[:MAX_TEXT].encode("utf-8", "replace")
