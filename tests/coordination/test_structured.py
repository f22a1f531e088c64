"""Rules of structured mode: the body is the event."""

import base64
from typing import Any

import pytest

from coordination.decoding import decode
from coordination.errors import MalformedRecord
from coordination.structured import is_structured
from tests.coordination.wire import PLAIN, record, structured


def refused(body: Any) -> MalformedRecord:
    with pytest.raises(MalformedRecord) as caught:
        decode(structured(body))
    return caught.value


@pytest.mark.parametrize("text", ["application/cloudevents+json", "Application/CloudEvents+JSON; charset=utf-8"])
def test_the_content_type_decides_in_any_case(text: str) -> None:
    assert is_structured(text)
    assert not is_structured("application/json")


@pytest.mark.parametrize(
    "text", ["application/cloudevents-batch+json", "application/cloudevents+xml", "application/cloudevents+avro"]
)
def test_a_batch_or_another_format_cannot_be_read_from_a_log(text: str) -> None:
    with pytest.raises(MalformedRecord, match="content-type"):
        decode(record((("content-type", text.encode()),), b"[]"))


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
def test_a_body_that_is_no_object_is_malformed(body: bytes) -> None:
    assert refused(body).stage == "envelope"


def test_an_attribute_twice_in_the_body_is_malformed_and_a_data_field_twice_is_not() -> None:
    text = '{"specversion": "1.0", "id": "a", "source": "s", "type": "t", "id": "b"}'
    assert refused(text.encode()).attribute == "id"
    twice = '{"specversion": "1.0", "id": "a", "source": "s", "type": "t", "data": {"x": 1, "x": 2}}'
    assert decode(structured(twice.encode())).data == {"x": 2}


def test_truth_values_and_integers_are_text_in_their_canonical_form() -> None:
    extensions = decode(structured({**PLAIN, "urgent": True, "calm": False, "count": -5, "gone": None})).extensions
    assert extensions == {"urgent": "true", "calm": "false", "count": "-5"}


@pytest.mark.parametrize("value", [1.5, 2**31, -(2**31) - 1, [], {}])
def test_floats_large_integers_and_nesting_are_no_attributes(value: object) -> None:
    assert refused({**PLAIN, "note": value}).attribute == "note"


def test_a_required_attribute_that_is_null_is_missing() -> None:
    assert refused({**PLAIN, "source": None}).attribute == "source"


def test_data_may_be_base64() -> None:
    encoded = base64.b64encode(b'{"checkpoint_ref": "s3://x"}').decode()
    assert decode(structured({**PLAIN, "data_base64": encoded})).data.checkpoint_ref == "s3://x"
    assert refused({**PLAIN, "data_base64": "not base64!"}).attribute == "data_base64"
    assert refused({**PLAIN, "data_base64": 5}).attribute == "data_base64"
    assert refused({**PLAIN, "data_base64": encoded, "data": {}}).attribute == "data_base64"


def test_data_that_are_null_are_absent() -> None:
    assert decode(structured({**PLAIN, "data": None})).data == decode(record(value=None)).data


def test_limits_and_control_characters_hold_in_the_body_too() -> None:
    assert refused({**PLAIN, "tenant": "x" * 65}).attribute == "tenant"
    assert refused({**PLAIN, "note": "a\nb"}).attribute == "note"
    assert refused({**PLAIN, "a\nb": "note"}).stage == "envelope"


@pytest.mark.parametrize(
    ("headers", "flags"),
    [
        ((), ()),
        ((("ce_type", b"coordination.task.started"),), ()),
        ((("ce_type", b"other"),), ("structured_mismatch",)),
        ((("ce_extra", b"x"),), ("structured_mismatch",)),
        ((("trace", b"x"),), ()),
    ],
)
def test_headers_that_differ_from_the_body_are_flagged(
    headers: tuple[tuple[str, bytes], ...], flags: tuple[str, ...]
) -> None:
    assert decode(structured(dict(PLAIN), given=headers)).flags == flags
