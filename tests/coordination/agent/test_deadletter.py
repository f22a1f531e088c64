"""Dead letters: the bytes as they were, and the reason beside them."""

import pytest

from coordination.agent.deadletter import PREFIXES, Reason, dead_letter
from coordination.eventlog import MAX_RECORD_BYTES, StoredRecord, record_bytes
from coordination.manifest import Manifest

REASON = Reason(stage="handler", code="handler_failed", message="out of züge", exception="OSError", deliveries=5)


def record(topic: str = "coord.run.task.commands", value: bytes | None = b"{}", **changes: object) -> StoredRecord:
    headers = changes.get("headers", (("ce_id", b"1"), ("ce_id", b"2"), ("other", b"\xff")))
    return StoredRecord(topic, 3, 42, 0, 1, b"key", value, headers)  # type: ignore[arg-type]


def made(given: StoredRecord, reason: Reason = REASON):  # type: ignore[no-untyped-def]
    return dead_letter(given, reason, group="agent.payer", at=1_700_000_000_000_000, manifest=Manifest())


def test_key_value_and_headers_are_kept_byte_for_byte() -> None:
    letter = made(record(value=b"\x00 not json"))
    assert (letter.key, letter.value) == (b"key", b"\x00 not json")
    assert letter.headers[:3] == record().headers


def test_the_reason_stands_in_headers_as_text() -> None:
    added = dict(made(record()).headers[3:])
    assert added == {
        "__dlq.errors.topic": b"coord.run.task.commands",
        "__dlq.errors.partition": b"3",
        "__dlq.errors.offset": b"42",
        "__dlq.errors.group": b"agent.payer",
        "__dlq.errors.delivery.count": b"5",
        "__dlq.errors.message": "out of züge".encode(),
        "coordination.errors.stage": b"handler",
        "coordination.errors.code": b"handler_failed",
        "coordination.errors.exception": b"OSError",
        "coordination.errors.time": b"2023-11-14T22:13:20.000000Z",
        "coordination.errors.retryable": b"false",
    }
    assert all(name.startswith(PREFIXES) for name in added)


@pytest.mark.parametrize(
    ("topic", "home"),
    [
        ("coord.run.task.commands", "dlq.coord.run"),
        ("coord.ops.commands", "dlq.coord.ops"),
        ("somebody.elses", "dlq.coord.run"),
    ],
)
def test_a_dead_letter_keeps_its_class(topic: str, home: str) -> None:
    assert made(record(topic)).topic == home


def test_a_record_too_large_for_more_headers_goes_without_its_value_and_says_where_it_is() -> None:
    letter = made(record(value=b"x" * (MAX_RECORD_BYTES - 100)))
    assert letter.value is None
    assert b"coord.run.task.commands-3@42" in dict(letter.headers)["coordination.errors.value"]
    assert record_bytes(letter) <= MAX_RECORD_BYTES


def test_an_endless_message_is_cut() -> None:
    letter = made(record(), Reason(stage="data", code="x", message="y" * 100_000))
    assert len(dict(letter.headers)["__dlq.errors.message"]) <= 4_000
