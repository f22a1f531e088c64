"""Redrive: the record that a dead letter is put back as.

Key, value and headers are those of the record that failed, byte for byte; what was added when it was given up is
taken off again, whichever of the four families wrote it. A count and the id of the redrive are put on, so that a
record can be put back `LIMIT` times and one redrive is recognised wherever its records turn up.
"""

from typing import Final

import msgspec

from coordination.eventlog import NewRecord, Record
from coordination.manifest import Manifest

COUNT: Final = "coordination-redrive-count"
REDRIVE_ID: Final = "coordination-redrive-id"
LIMIT: Final = 3
ADDED: Final = (
    "__dlq.errors.",
    "coordination.errors.",
    "__connect.errors.",
    "__streams.errors.",
    "kafka_dlt-",
    "kafka_deliveryAttempt",
)
"""What the names of headers begin with that were added to a record when it was given up."""
LEFT_OUT: Final = "coordination.errors.value"


class Origin(msgspec.Struct, frozen=True):
    """Where a dead letter came from, as its headers say; they are written by agents, so nothing in them is sure."""

    topic: str
    partition: int | None = None


def put_back(record: Record, origin: Origin, *, partition: int, redrive_id: str) -> NewRecord:
    """The record to append on `partition` of its first topic, with one redrive more on its count."""
    kept = tuple((name, value) for name, value in record.headers if not name.startswith((*ADDED, COUNT, REDRIVE_ID)))
    counted = ((COUNT, str(redrives(record) + 1).encode()), (REDRIVE_ID, redrive_id.encode()))
    return NewRecord(origin.topic, record.key, record.value, (*kept, *counted), partition)


def redrives(record: Record) -> int:
    """How often the record was put back before; a count that makes no sense is as good as none."""
    text = next((value for name, value in record.headers if name == COUNT), b"")
    return int(text) if text.isdigit() and len(text) < 10 else 0


def refusal(record: Record, origin: Origin, manifest: Manifest) -> str:
    """Why this dead letter cannot be put back, in words; empty if it can.

    Headers name the topic, and agents write headers: a letter must not lead out of its class, nor to a topic that
    only the dashboard may write to.
    """
    declared = manifest.declared(origin.topic)
    if not origin.topic:
        return "its headers do not say which topic it came from"
    if declared is None or declared.dead_letters:
        return f"{origin.topic} is not one of our topics"
    if manifest.dead_letter_topic(origin.topic) != record.topic:
        return f"{origin.topic} is of another class than {record.topic}"
    if declared.access != "ops" and not declared.agents_write:
        return f"only Lineside writes to {origin.topic}: decide again instead"
    if any(name == LEFT_OUT for name, _ in record.headers):
        return "it was too large to be kept with its value"
    if redrives(record) >= LIMIT:
        return f"it was put back {LIMIT} times already"
    return ""
