"""Dead letters: what the headers of a `dlq.*` record say of its failure, whichever tool wrote them.

Five families are read: the broker's own and ours (`__dlq.errors.*` with `coordination.errors.*`), Kafka Connect,
Kafka Streams and Spring. Numbers are decimal text, with Spring big-endian integers. A header that makes no sense
is as if it were not there: the record itself is kept byte for byte.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coordination.envelope import Decoder
from coordination.errors import MalformedRecord
from coordination.eventlog import Record
from coordination.events.shapes import Failure
from coordination.redrive import COUNT as REDRIVES
from dashboard.ingest.fingerprint import fingerprint
from dashboard.masking import MASK, Rules, classified, hides
from dashboard.segments import pack_one, unpack_one

MAX_NUMBER: Final = 2**63 - 1
# What we call it -> the headers that may say it, in order of preference.
HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "origin_topic": (
        "__dlq.errors.topic",
        "__connect.errors.topic",
        "__streams.errors.topic",
        "kafka_dlt-original-topic",
    ),
    "origin_partition": (
        "__dlq.errors.partition",
        "__connect.errors.partition",
        "__streams.errors.partition",
        "kafka_dlt-original-partition",
    ),
    "origin_offset": (
        "__dlq.errors.offset",
        "__connect.errors.offset",
        "__streams.errors.offset",
        "kafka_dlt-original-offset",
    ),
    "agent_group": (
        "__dlq.errors.group",
        "__connect.errors.connector.name",
        "kafka_dlt-original-consumer-group",
    ),
    "deliveries": ("__dlq.errors.delivery.count", "kafka_deliveryAttempt"),
    "stage": ("coordination.errors.stage", "__connect.errors.stage"),
    "code": ("coordination.errors.code",),
    "exception": (
        "coordination.errors.exception",
        "__connect.errors.exception.class.name",
        "__streams.errors.exception",
        "kafka_dlt-exception-fqcn",
    ),
    "message": (
        "__dlq.errors.message",
        "__connect.errors.exception.message",
        "__streams.errors.message",
        "kafka_dlt-exception-message",
    ),
    "retryable": ("coordination.errors.retryable",),
    "redrives": (REDRIVES,),
}
NUMBERS: Final = frozenset(("origin_partition", "origin_offset", "deliveries", "redrives"))
GROUP_PREFIX: Final = "agent."


def letter_fields(record: Record, decoder: Decoder) -> dict[str, Any]:
    """The fields of a DeadLetter for a record of a dead letter topic; never raises for what the record holds."""
    fields: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "at": record.timestamp * 1000,
        "record": pack_one(record),
    }
    fields.update(_said(dict(record.headers)))
    fields.update(_event(record, decoder))
    kind = fields.get("exception") or fields.get("code") or ""
    fields["fingerprint"] = fingerprint(Failure(type=kind, message=fields.get("message", "")))
    return fields


def hidden_letter(fields: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """The fields without the error's message where a rule hides its header, or all that the record carries."""
    record = unpack_one(fields["record"])
    said = [name for name, _ in record.headers if name in HEADERS["message"]]
    if fields.get("message") and (classified(record, rules) or any(hides(name, rules) for name in said)):
        return fields | {"message": MASK}
    return fields


def _said(headers: Mapping[str, bytes]) -> Iterator[tuple[str, Any]]:
    for field, names in HEADERS.items():
        raw = next((headers[name] for name in names if headers.get(name)), None)
        if raw is None:
            continue
        value = _number(raw, binary=_is_binary(field, headers)) if field in NUMBERS else _text(raw)
        if field == "retryable":
            yield field, value == "true"
        elif field == "agent_group":
            yield field, str(value).removeprefix(GROUP_PREFIX)
        elif value is not None:
            yield field, value


def _is_binary(field: str, headers: Mapping[str, bytes]) -> bool:
    spring = next((name for name in HEADERS[field] if name in headers), "")
    return spring.startswith("kafka_")


def _number(raw: bytes, *, binary: bool) -> int | None:
    if binary and len(raw) in (4, 8):
        return int.from_bytes(raw, "big", signed=True)
    text = _text(raw)
    return int(text) if text.isascii() and text.isdigit() and int(text[:20]) <= MAX_NUMBER else None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _event(record: Record, decoder: Decoder) -> dict[str, str]:
    try:
        event = decoder.decode(record)
    except MalformedRecord:
        return {}
    return {
        "run_id": event.run_id,
        "task_id": event.task_id,
        "event_id": event.id,
        "source": event.source,
        "event_name": event.name,
    }
