"""Rules of reading: what is malformed, what is not, and what becomes of it."""

import itertools

import msgspec
import pytest

from coordination.decoding import Decoder, decode
from coordination.errors import MalformedRecord
from coordination.eventlog import StoredRecord
from coordination.events.task import TaskFailed, TaskRequested, TaskStarted
from coordination.manifest import Manifest
from coordination.topicmapping import TopicMapping
from tests.coordination.wire import NOON, PLAIN, TIME_MICROS, headers, record, structured

LONG = {"id": 128, "source": 256, "type": 128, "subject": 192, "tenant": 64, "taskid": 128, "note": 1024}


def refused(bad: StoredRecord) -> MalformedRecord:
    with pytest.raises(MalformedRecord) as caught:
        decode(bad)
    return caught.value


def test_every_attribute_has_its_field() -> None:
    event = decode(
        record(
            parenttaskid="t-0",
            targetgroup="coder",
            foldkey="f" * 16,
            idempotencykey="once",
            fanoutid="fan",
            fanoutindex="0",
            fanoutcount="8",
            expirytime="2026-05-01T13:00:00+01:00",
            conversationid="talk",
            note="kept",
        )
    )
    assert (event.id, event.source, event.subject) == (PLAIN["id"], PLAIN["source"], "task/t-1")
    assert (event.type, event.name, event.known) == ("coordination.task.started", "task.started", True)
    assert (event.tenant, event.agent_id, event.agent_group) == ("default", "coder-3", "coder")
    assert (event.run_id, event.causation_id, event.task_id) == ("run-1", "cause-1", "t-1")
    assert (event.parent_task_id, event.target_group, event.attempt) == ("t-0", "coder", 1)
    assert (event.fold_key, event.idempotency_key) == ("f" * 16, "once")
    assert (event.fanout_id, event.fanout_index, event.fanout_count) == ("fan", 0, 8)
    assert (event.sequence, event.partition_key) == ("0000000000000000007", "t-1")
    assert (event.time, event.expiry_at) == (TIME_MICROS, NOON)
    assert event.extensions == {"conversationid": "talk", "note": "kept"}
    assert (event.topic, event.partition, event.offset) == ("coord.run.task.events", 3, 42)
    assert (event.inferred, event.flags) == ((), ())
    assert event.data == TaskStarted()


@pytest.mark.parametrize("attribute", ["id", "source", "type", "specversion"])
@pytest.mark.parametrize("absent", [None, ""])
def test_a_required_attribute_missing_is_malformed(attribute: str, absent: str | None) -> None:
    error = refused(record(**{attribute: absent}))
    assert (error.stage, error.attribute) == ("envelope", attribute)


def test_no_headers_at_all_is_malformed() -> None:
    assert refused(record(())).attribute == "specversion"


@pytest.mark.parametrize("name", ["id", "tenant", "note", "attempt"])
def test_an_attribute_given_twice_is_malformed(name: str) -> None:
    twice = (*headers(note="a"), (f"ce_{name}", b"1"))
    assert refused(record(twice)).attribute == name


def test_another_header_given_twice_is_not_malformed() -> None:
    assert decode(record((*headers(), ("trace", b"\xff"), ("trace", b"b")))).id == PLAIN["id"]


@pytest.mark.parametrize(("attribute", "limit"), LONG.items())
def test_an_attribute_is_malformed_beyond_its_limit_and_not_at_it(attribute: str, limit: int) -> None:
    assert decode(record(**{attribute: "x" * limit}))
    assert refused(record(**{attribute: "x" * (limit + 1)})).attribute == attribute


def test_limits_count_characters_not_bytes() -> None:
    assert decode(record(id="ü" * 128)).id == "ü" * 128
    assert refused(record(id="ü" * 129)).attribute == "id"


@pytest.mark.parametrize("control", ["\x00", "\n", "\t", "\x1f", "\x7f", "\x80", "\x9f"])
@pytest.mark.parametrize("attribute", ["id", "note"])
def test_a_control_character_is_malformed(control: str, attribute: str) -> None:
    assert refused(record(**{attribute: f"a{control}b"})).attribute == attribute


@pytest.mark.parametrize("attribute", ["subject", "note"])
def test_an_attribute_that_is_not_utf8_is_malformed(attribute: str) -> None:
    assert refused(record(**{attribute: b"\xff\xfe"})).attribute == attribute


@pytest.mark.parametrize("text", ['a"b', "a\\b", 'x","y', '"', "\\", "é", "a\u00a0b", "你好"])
def test_quotes_escapes_and_other_scripts_are_read_as_written(text: str) -> None:
    event = decode(record(subject=text, note=text))
    assert (event.subject, event.extensions["note"]) == (text, text)


def test_a_value_cannot_smuggle_in_another_attribute() -> None:
    smuggled = record(taskid='t","evil","x', tenant='\\","')
    assert decode(smuggled).task_id == 't","evil","x'


@pytest.mark.parametrize("version", ["0.3", "1", "1.0.2", "2.0"])
def test_another_specversion_is_malformed(version: str) -> None:
    assert refused(record(specversion=version)).attribute == "specversion"


@pytest.mark.parametrize(
    ("attribute", "text"),
    [("attempt", "0"), ("attempt", "one"), ("attempt", "1.5"), ("attempt", "٣"), ("fanoutindex", "-1"),
     ("fanoutcount", "2147483648")],
)  # fmt: skip
def test_an_integer_out_of_range_is_malformed(attribute: str, text: str) -> None:
    assert refused(record(**{attribute: text})).attribute == attribute


@pytest.mark.parametrize(
    "value", [b"{", b"plain text", b"\xff", b'"\xff"', b'"\\ud800"', b"[" * 100_000, b"\xef\xbb\xbf{}"]
)
def test_data_that_are_no_json_are_malformed_also_of_an_unknown_type(value: bytes) -> None:
    for type_ in ("coordination.task.started", "com.example.thing"):
        error = refused(record(value=value, type=type_))
        assert (error.stage, error.attribute) == ("data", "data")


@pytest.mark.parametrize(
    ("type_", "value", "culprit"),
    [
        ("task.requested", b"{}", "data.task_type"),
        ("task.requested", b"", "data"),
        ("task.requested", b'{"task_type": 5}', "data.task_type"),
        ("task.failed", b'{"error": {"type": "X", "message": 7}}', "data.error.message"),
        ("task.progressed", b'{"progress": 1.5}', "data.progress"),
        ("fanout.opened", b'{"join": "most"}', "data.join"),
        ("task.started", b"[]", "data"),
        ("task.started", b"null", "data"),
    ],
)
def test_data_of_a_known_type_that_fail_its_schema_are_malformed(type_: str, value: bytes, culprit: str) -> None:
    error = refused(record(value=value, type=f"coordination.{type_}"))
    assert (error.stage, error.attribute) == ("data", culprit)


def test_a_record_over_one_mebibyte_is_malformed_and_one_of_exactly_that_is_not() -> None:
    fitting = b'{"note": "' + b"x" * (1024 * 1024 - 12) + b'"}'
    assert decode(record(value=fitting)).known
    assert refused(record(value=fitting[:-2] + b'x"}')).stage == "size"


def test_at_most_forty_attributes_and_eight_kibibytes_of_headers_are_read() -> None:
    many = {f"x{number}": "1" for number in range(40 - len(PLAIN))}
    assert decode(record(**many))
    assert refused(record(**many, onemore="1")).stage == "size"
    assert refused(record(**{f"x{number}": "y" * 1000 for number in range(9)})).stage == "size"


def test_an_unknown_type_is_kept_with_its_full_name_and_plain_data() -> None:
    event = decode(record(type="com.example.thing", value=b'{"a": [1, null]}'))
    assert (event.name, event.known, event.data) == ("com.example.thing", False, {"a": [1, None]})


def test_a_broken_major_version_is_an_unknown_type() -> None:
    event = decode(record(type="coordination.task.started.v9", value=b'"anything"'))
    assert (event.known, event.name, event.data) == (False, "coordination.task.started.v9", "anything")


def test_unknown_data_fields_are_no_error() -> None:
    event = decode(record(type="coordination.task.failed", value=b'{"error": {"type": "T", "x": 1}, "y": 2}'))
    assert isinstance(event.data, TaskFailed)
    assert event.data.error is not None
    assert event.data.error.type == "T"


def test_a_record_without_a_value_on_a_compacted_topic_is_a_tombstone() -> None:
    event = decode(record(value=None, type="coordination.task.summary.updated", topic="coord.run.state.task"))
    assert (event.known, event.data) == (True, None)


def test_a_known_type_without_a_value_has_its_defaults() -> None:
    assert decode(record(value=None)).data == TaskStarted()


@pytest.mark.parametrize("key", [b"t-2", None, b"\xff"])
def test_a_key_other_than_the_partition_key_is_flagged(key: bytes | None) -> None:
    assert decode(record(key=key)).flags == ("key_mismatch",)


def test_a_bad_traceparent_is_ignored_and_flagged() -> None:
    event = decode(record(traceparent="00-zz-1-01"))
    assert (event.flags, event.extensions) == (("bad_traceparent",), {})
    good = f"00-{'a' * 32}-{'b' * 16}-01"
    assert decode(record(traceparent=good)).extensions == {"traceparent": good}


def test_a_header_without_a_value_says_as_much_as_no_header() -> None:
    null = tuple((name, None if name == "ce_agentgroup" else value) for name, value in headers())
    assert decode(record(null)).agent_group == ""  # type: ignore[arg-type]


def test_the_order_of_headers_does_not_matter() -> None:
    plain = decode(record())
    for order in itertools.islice(itertools.permutations(headers(note="x")), 0, 5_000_000, 500_000):
        assert msgspec.structs.replace(decode(record(order)), extensions={}) == plain


def test_content_type_is_found_in_any_case_and_not_needed() -> None:
    shouting = (("Content-Type", b"application/json"), *headers()[1:])
    assert decode(record(shouting)) == decode(record(headers()[1:])) == decode(record())


def test_a_value_framed_by_a_schema_registry_is_read_where_one_is_configured() -> None:
    value = b'{"task_type": "plan"}'
    reader = Decoder(framed=True)
    for frame in (b"\x00\x00\x00\x00\x07", b"\x01" + b"u" * 16, b""):
        event = reader.decode(record(value=frame + value, type="coordination.task.requested"))
        assert event.data == TaskRequested(task_type="plan")
    assert refused(record(value=b"\x00\x00\x00\x00\x07" + value)).stage == "data"


def test_mapped_headers_stand_for_ours_and_ours_win() -> None:
    reader = Decoder(Manifest(mapping=TopicMapping({}, {"x-run": "ce_correlationid"})))
    foreign = (*headers(correlationid=None), ("x-run", b"theirs"))
    assert reader.decode(record(foreign)).run_id == "theirs"
    assert reader.decode(record((*headers(), ("x-run", b"theirs")))).run_id == "run-1"


def test_structured_mode_gives_the_same_event_as_binary_mode() -> None:
    body = {
        **PLAIN,
        "attempt": 1,
        "datacontenttype": "application/json",
        "data": {"checkpoint_ref": "s3://x"},
    }
    binary = decode(record(value=b'{"checkpoint_ref": "s3://x"}'))
    assert decode(structured(body)) == binary


def test_the_structured_body_wins_over_headers_and_a_difference_is_flagged() -> None:
    event = decode(structured({**PLAIN}, given=(("ce_id", b"other"),)))
    assert (event.id, event.flags) == (PLAIN["id"], ("structured_mismatch",))
    assert decode(structured({**PLAIN}, given=(("ce_id", PLAIN["id"].encode()),))).flags == ()
