"""Dead letters of five families of tools are understood; nonsense in headers is as if it were not there."""

import pytest

from coordination.encoding import new_event
from coordination.envelope import Decoder
from coordination.eventlog import StoredRecord
from dashboard.ingest.letters import letter_fields
from dashboard.segments import unpack_one

COMMAND = new_event(
    "task.requested",
    source="/a",
    time=1_790_000_000_000_000,
    id="e-1",
    run_id="r",
    task_id="t",
    data={"task_type": "x"},
)


def letter(*headers: tuple[str, bytes], value: bytes | None = COMMAND.value) -> StoredRecord:
    return StoredRecord("dlq.coord.run", 1, 7, 1_790_000_000_123, 1, COMMAND.key, value, (*COMMAND.headers, *headers))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            [
                ("__dlq.errors.topic", b"coord.run.task.commands"),
                ("__dlq.errors.partition", b"4"),
                ("__dlq.errors.offset", b"1042"),
                ("__dlq.errors.group", b"agent.coder"),
                ("__dlq.errors.delivery.count", b"3"),
                ("__dlq.errors.message", b"no answer"),
                ("coordination.errors.stage", b"handler"),
                ("coordination.errors.code", b"timeout"),
                ("coordination.errors.exception", b"TimeoutError"),
                ("coordination.errors.retryable", b"true"),
                ("coordination-redrive-count", b"2"),
            ],
            {
                "origin_topic": "coord.run.task.commands",
                "origin_partition": 4,
                "origin_offset": 1042,
                "agent_group": "coder",
                "deliveries": 3,
                "message": "no answer",
                "stage": "handler",
                "code": "timeout",
                "exception": "TimeoutError",
                "retryable": True,
                "redrives": 2,
            },
        ),
        (
            [
                ("__connect.errors.topic", b"orders"),
                ("__connect.errors.partition", b"2"),
                ("__connect.errors.offset", b"9"),
                ("__connect.errors.connector.name", b"sink"),
                ("__connect.errors.stage", b"VALUE_CONVERTER"),
                ("__connect.errors.exception.class.name", b"DataException"),
                ("__connect.errors.exception.message", b"bad schema"),
            ],
            {
                "origin_topic": "orders",
                "origin_partition": 2,
                "origin_offset": 9,
                "agent_group": "sink",
                "stage": "VALUE_CONVERTER",
                "exception": "DataException",
                "message": "bad schema",
            },
        ),
        (
            [
                ("__streams.errors.topic", b"in"),
                ("__streams.errors.partition", b"0"),
                ("__streams.errors.offset", b"77"),
                ("__streams.errors.exception", b"SerializationException"),
                ("__streams.errors.message", b"size 3 of 8"),
            ],
            {
                "origin_topic": "in",
                "origin_partition": 0,
                "origin_offset": 77,
                "exception": "SerializationException",
                "message": "size 3 of 8",
            },
        ),
        (
            [
                ("kafka_dlt-original-topic", b"in"),
                ("kafka_dlt-original-partition", (5).to_bytes(4, "big")),
                ("kafka_dlt-original-offset", (2**40).to_bytes(8, "big")),
                ("kafka_dlt-original-consumer-group", b"billing"),
                ("kafka_dlt-exception-fqcn", b"java.lang.IllegalStateException"),
                ("kafka_dlt-exception-message", b"nope"),
            ],
            {
                "origin_topic": "in",
                "origin_partition": 5,
                "origin_offset": 2**40,
                "agent_group": "billing",
                "exception": "java.lang.IllegalStateException",
                "message": "nope",
            },
        ),
    ],
    ids=["ours", "connect", "streams", "spring"],
)
def test_each_family_says_where_it_stood_and_why_it_failed(headers, expected):
    fields = letter_fields(letter(*headers), Decoder())
    assert expected.items() <= fields.items()
    assert (fields["run_id"], fields["task_id"], fields["event_name"]) == ("r", "t", "task.requested")


@pytest.mark.parametrize("nonsense", [b"", b"twelve", b"-1", b"9" * 40, b"\xff\xfe", "¹²".encode()])
def test_numbers_that_are_none_are_left_out(nonsense):
    fields = letter_fields(letter(("__dlq.errors.offset", nonsense)), Decoder())
    assert "origin_offset" not in fields


def test_a_letter_that_is_no_event_is_kept_byte_for_byte():
    record = StoredRecord("dlq.coord.run", 0, 1, 5, 1, None, b"\x00\xff", (("__dlq.errors.message", b"a\x00b"),))
    fields = letter_fields(record, Decoder())
    assert "event_id" not in fields
    assert fields["message"] == "a\N{REPLACEMENT CHARACTER}b"
    assert unpack_one(fields["record"]) == record
