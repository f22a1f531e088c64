"""The envelope explained: each attribute with its meaning, bytes that are no text as hexadecimal."""

from coordination.eventlog import StoredRecord
from coordination.manifest import Manifest
from dashboard.api.envelope import attributes, facts, headers, text


def record(*pairs: tuple[str, bytes], value: bytes | None = b"{}") -> StoredRecord:
    return StoredRecord("coord.run.task.events", 4, 7, 1_790_000_000_000, 1, b"task-1", value, pairs)


def test_attributes_are_told_apart_from_other_headers() -> None:
    found = record(("ce_id", b"1"), ("content-type", b"application/json"))
    assert [(each["name"], each["value"]) for each in attributes(found)] == [("id", "1")]
    assert headers(found) == [{"name": "content-type", "value": "application/json"}]


def test_an_attribute_nobody_knows_is_kept() -> None:
    assert attributes(record(("ce_colour", b"red")))[0]["meaning"] == "unknown, kept as it is"


def test_bytes_that_are_no_text_are_shown_as_hexadecimal() -> None:
    assert text(b"\xff\x00") == "ff 00"


def test_long_values_are_cut_and_say_so() -> None:
    assert text(b"x" * 30, 10) == "xxxxxxxxxx… and 20 characters more"


def test_a_topic_outside_the_manifest_is_named_so() -> None:
    stored = StoredRecord("payments", 0, 1, 0, 0, None, None, ())
    found = {each["name"]: each for each in facts(stored, Manifest())}
    assert found["Topic"]["note"] == "not declared in the manifest"
    assert found["Time"]["note"] == "claimed by the producer"
    assert found["Key"]["value"] == "none"
