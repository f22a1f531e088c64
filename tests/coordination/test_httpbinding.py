"""Rules of the HTTP door: what comes in as a web request leaves as a record any reader reads."""

import json
from typing import Any

import pytest

from coordination.decoding import decode
from coordination.errors import MalformedRecord
from coordination.httpbinding import from_http
from coordination.manifest import Manifest
from tests.coordination.wire import PLAIN, appended

JSON = ("Content-Type", "application/json")
STRUCTURED = ("content-type", "application/cloudevents+json; charset=utf-8")
BATCH = ("content-type", "application/cloudevents-batch+json")


def binary(**changes: str | None) -> list[tuple[str, str]]:
    merged = {**PLAIN, **changes}
    return [JSON, ("Host", "x"), *((f"Ce-{name.title()}", text) for name, text in merged.items() if text is not None)]


def refused(headers: list[tuple[str, str]], body: Any) -> MalformedRecord:
    with pytest.raises(MalformedRecord) as caught:
        from_http(headers, body if isinstance(body, bytes) else json.dumps(body).encode())
    return caught.value


def test_binary_mode_becomes_one_record_on_its_topic_with_its_key() -> None:
    [new] = from_http(binary(), b'{"checkpoint_ref": "s3://x"}')
    event = decode(appended(new))
    assert (new.topic, new.key) == ("coord.run.task.events", b"t-1")
    assert (event.id, event.data.checkpoint_ref, event.flags, event.inferred) == (PLAIN["id"], "s3://x", (), ())


def test_structured_mode_gives_the_same_record_as_binary_mode() -> None:
    [one] = from_http([STRUCTURED], json.dumps({**PLAIN, "data": {"checkpoint_ref": "s3://x"}}).encode())
    [other] = from_http(binary(), b'{"checkpoint_ref": "s3://x"}')
    assert decode(appended(one)) == decode(appended(other))


def test_a_batch_keeps_its_order() -> None:
    bodies = [{**PLAIN, "id": f"e-{number}"} for number in range(5)]
    records = from_http([BATCH], json.dumps(bodies).encode())
    assert [decode(appended(new)).id for new in records] == [f"e-{number}" for number in range(5)]
    assert from_http([BATCH], b"[]") == []


def test_the_bad_attribute_is_named_and_in_a_batch_the_events_number() -> None:
    assert refused(binary(id=None), {}).attribute == "id"
    assert refused([JSON], {}).attribute == "specversion"
    assert refused([STRUCTURED], {**PLAIN, "time": "soon"}).attribute == "time"
    error = refused([BATCH], [{**PLAIN}, {**PLAIN, "type": "coordination.task.requested", "data": {}}])
    assert (error.attribute, "event 2" in str(error)) == ("data.task_type", True)


@pytest.mark.parametrize("body", [b"{}", b"", b"[1]", b"[" * 100_000, b"\xff"])
def test_a_batch_that_is_none_is_refused(body: bytes) -> None:
    assert refused([BATCH], body).stage == "envelope"


def test_a_batch_of_more_than_a_thousand_is_refused() -> None:
    assert refused([BATCH], [{}] * 1001).stage == "size"


def test_data_over_what_a_writer_may_send_are_refused() -> None:
    assert refused(binary(), b'{"note": "' + b"x" * 48 * 1024 + b'"}').stage == "size"


@pytest.mark.parametrize(
    ("sent", "read"),
    [("Euro%20%E2%82%AC", "Euro €"), ('"quoted \\"a\\" %20"', 'quoted "a"  '), ("plain", "plain"), ('"', '"')],
)
def test_header_values_are_unquoted_as_the_binding_says(sent: str, read: str) -> None:
    [new] = from_http(binary(note=sent), b"{}")
    assert decode(appended(new)).extensions["note"] == read


@pytest.mark.parametrize("sent", ["%0A", "%FF", "%00"])
def test_what_hides_behind_percent_signs_is_checked_too(sent: str) -> None:
    assert refused(binary(note=sent), {}).attribute == "note"


def test_a_foreign_event_goes_where_its_run_is_told_or_to_operations() -> None:
    foreign = {"type": "com.example.thing", "partitionkey": None, "taskid": None}
    [of_run] = from_http(binary(**foreign), b"{}")
    [of_none] = from_http(binary(**foreign, correlationid=None, subject="thing/7"), b"{}")
    assert (of_run.topic, of_run.key) == ("coord.run.workflow.events", b"run-1")
    assert (of_none.topic, of_none.key) == ("coord.ops.events", b"thing/7")
    assert decode(appended(of_none)).partition_key == "thing/7"


def test_the_key_is_the_catalogues_also_where_another_partition_key_is_claimed() -> None:
    [new] = from_http(binary(partitionkey="mine"), b"{}")
    assert new.key == b"t-1"
    assert decode(appended(new)).flags == ("key_mismatch",)


def test_the_task_is_inferred_from_the_subject_so_that_its_events_stay_in_order() -> None:
    [new] = from_http(binary(taskid=None, partitionkey=None), b"{}")
    assert new.key == b"t-1"


def test_topics_follow_the_manifest() -> None:
    [new] = from_http(binary(), b"{}", manifest=Manifest("acme"))
    assert new.topic == "acme.run.task.events"
