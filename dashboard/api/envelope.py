"""The envelope of a record, explained: each attribute with its value and what it is for."""

from typing import Any, Final

from coordination.eventlog import StoredRecord
from coordination.manifest import Manifest

PREFIX: Final = "ce_"
MEANING: Final[dict[str, str]] = {
    "specversion": "version of CloudEvents",
    "id": "made once when the event is created; a resend keeps it",
    "source": "who made it; source and id together are the duplicate key",
    "type": "what happened (a fact) or is asked for (an intent)",
    "time": "when it happened, by its producer's clock",
    "subject": "what it is about",
    "tenant": "whom it belongs to",
    "agentid": "the agent instance that speaks",
    "agentgroup": "its group, which is also its consumer group",
    "agentrole": "the role it plays",
    "correlationid": "the run",
    "causationid": "the event that directly triggered this one",
    "taskid": "the task",
    "parenttaskid": "the task it belongs to",
    "attempt": "which try, counting the first as 1",
    "targetgroup": "the group it is addressed to",
    "foldkey": "tasks with the same key are drawn as one",
    "idempotencykey": "the same work asked for again has the same key",
    "fanoutid": "the fan-out it is a branch of",
    "fanoutindex": "which branch",
    "fanoutcount": "how many branches there are",
    "sequence": "counts the events of one source, to notice gaps",
    "partitionkey": "the key that chose the partition",
    "expirytime": "nobody starts work after it",
    "conversationid": "the conversation it belongs to",
    "traceparent": "the trace it belongs to",
    "tracestate": "vendor part of the trace",
    "dataref": "where large data lie",
    "dataschema": "the schema of the data",
    "dataclassification": "how sensitive the data are",
    "authtype": "what kind of account acted",
    "authid": "opaque id of that account",
    "recordedtime": "when it was written down",
    "timebasis": "where its time comes from, if it was imported",
}


def attributes(record: StoredRecord) -> list[dict[str, str]]:
    """The attributes of a record in binary mode, in the order of its headers."""
    return [
        {
            "name": name[len(PREFIX) :],
            "value": text(value),
            "meaning": MEANING.get(name[len(PREFIX) :], "unknown, kept as it is"),
        }
        for name, value in record.headers
        if name.lower().startswith(PREFIX)
    ]


def headers(record: StoredRecord) -> list[dict[str, str]]:
    """The other headers."""
    return [
        {"name": name, "value": text(value)} for name, value in record.headers if not name.lower().startswith(PREFIX)
    ]


def text(value: bytes | None, most: int = 20_000) -> str:
    """Bytes as people read them: UTF-8 where they are, else hexadecimal; long ones are cut, saying so."""
    if value is None:
        return ""
    try:
        words = value.decode()
    except UnicodeDecodeError:
        words = value.hex(" ")
    return words if len(words) <= most else f"{words[:most]}… and {len(words) - most:,} characters more"


def facts(record: StoredRecord, names: Manifest) -> list[dict[str, Any]]:
    """What the log itself says of the record: where it stands, when, how large."""
    size = sum(len(name) + len(value) for name, value in record.headers)
    stamp = {1: "appended", 0: "claimed by the producer"}.get(record.timestamp_type or 0, "claimed by the producer")
    family = names.family_of(record.topic)
    return [
        {"name": "Topic", "value": record.topic, "note": "" if family else "not declared in the manifest"},
        {"name": "Partition, offset", "value": f"{record.partition}@{record.offset}", "note": ""},
        {"name": "Time", "at": record.timestamp * 1000, "note": stamp},
        {"name": "Key", "value": text(record.key, 400) or "none", "note": ""},
        {"name": "Size", "value": f"{len(record.value or b''):,} bytes", "note": f"{size:,} bytes of headers"},
    ]
