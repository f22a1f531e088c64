"""Masking: what rules name is hidden wherever it lies; what cannot be searched is hidden whole; nothing else is."""

from typing import Any

import msgspec
import pytest

from coordination.eventlog import APPEND_TIME, StoredRecord
from dashboard.masking import MASK, Rules, masked_data, masked_headers, masked_record, parsed


def rules(*paths: Any, classes: tuple[str, ...] = (), headers: tuple[str, ...] = ()) -> Rules:
    return parsed({"paths": list(paths), "classes": list(classes), "headers": list(headers)})


def record(value: bytes | None, *headers: tuple[str, bytes]) -> StoredRecord:
    return StoredRecord("coord.run.task.events", 0, 1, 0, APPEND_TIME, b"k", value, headers)


@pytest.mark.parametrize(
    ("path", "data", "left"),
    [
        ("a.b", {"a": {"b": 1, "c": 2}}, {"a": {"b": MASK, "c": 2}}),
        ("A.B", {"a": {"b": 1}}, {"a": {"b": MASK}}),
        ("*.b", {"a": {"b": 1}, "x": {"b": 2}, "b": 3}, {"a": {"b": MASK}, "x": {"b": MASK}, "b": 3}),
        ("**.password", {"a": [{"password": "x"}], "password": "y"}, {"a": [{"password": MASK}], "password": MASK}),
        ("messages.*.content", {"messages": [{"content": "x", "role": "u"}]},
         {"messages": [{"content": MASK, "role": "u"}]}),
        ("messages.0", {"messages": ["x", "y"]}, {"messages": [MASK, "y"]}),
        ("a.**", {"a": {"b": 1}, "c": 2}, {"a": MASK, "c": 2}),
        ("a.**.z", {"a": {"b": {"z": 1}, "z": 2}}, {"a": {"b": {"z": MASK}, "z": MASK}}),
        ("*_token", {"api_token": "x", "tokens": 3}, {"api_token": MASK, "tokens": 3}),
        ("a.b", {"a": "no object"}, {"a": "no object"}),
        ("missing", {"a": 1}, {"a": 1}),
    ],
)  # fmt: skip
def test_a_path_hides_what_lies_there_and_nothing_else(path: str, data: Any, left: Any) -> None:
    assert masked_data(data, "task.completed", rules(path)).value == left


def test_a_rule_may_be_for_some_types_only() -> None:
    masks = rules({"path": "output", "types": "task.*"})
    assert masked_data({"output": 1}, "task.completed", masks).hidden == 1
    assert masked_data({"output": 1}, "run.completed", masks).hidden == 0


def test_a_class_hides_all_that_a_record_carries() -> None:
    masks = rules(classes=("Personal",))
    shown, hidden = masked_record(record(b'{"a":1}', ("ce_dataclassification", b"personal")), "x", masks)
    assert (shown.value, hidden) == (f'"{MASK}"'.encode(), 1)
    assert masked_record(record(b'{"a":1}', ("ce_dataclassification", b"public")), "x", masks)[1] == 0


def test_header_values_are_hidden_by_name_with_and_without_prefix() -> None:
    masks = rules(headers=("authorization", "x-*", "authid"))
    headers = (("Authorization", b"Bearer s"), ("X-Key", b"k"), ("ce_authid", b"u-1"), ("ce_id", b"1"))
    assert dict(masked_headers(headers, masks)) == {
        "Authorization": MASK.encode(), "X-Key": MASK.encode(), "ce_authid": MASK.encode(), "ce_id": b"1",
    }  # fmt: skip


@pytest.mark.parametrize("value", [b"\xff\xfe not json", b"{", b"[" * 100_000, b'{"a":' * 5_000])
def test_what_cannot_be_searched_is_hidden_whole(value: bytes) -> None:
    shown, hidden = masked_record(record(value), "x", rules("**.password"))
    assert (shown.value, hidden) == (f'"{MASK}"'.encode(), 1)


def test_a_structured_event_is_masked_inside_its_data() -> None:
    value = msgspec.json.encode({"specversion": "1.0", "data": {"secret": "x", "a": 1}})
    shown, _ = masked_record(record(value), "x", rules("secret"))
    assert msgspec.json.decode(shown.value or b"")["data"] == {"secret": MASK, "a": 1}


def test_without_rules_not_a_byte_is_touched() -> None:
    kept = record(b'{ "a" : 1.0 }', ("ce_id", b"1"))
    assert masked_record(kept, "x", Rules()) == (kept, 0)


@pytest.mark.parametrize("wrong", [{"paths": [1]}, {"paths": [""]}, {"paths": ["..."]}, {"other": []}, [], "x"])
def test_rules_that_make_no_sense_are_refused(wrong: Any) -> None:
    with pytest.raises((ValueError, msgspec.ValidationError)):
        parsed(wrong)
