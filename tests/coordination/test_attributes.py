"""Rules of header names: which attribute a header holds, and what one list of names means."""

import pytest

from coordination.attributes import LIMITS, MAX_ATTRIBUTES, Attributes, attributes, layout
from coordination.errors import MalformedRecord


def test_a_layout_knows_extras_and_what_is_missing() -> None:
    shape = layout(("ce_id", "trace", "ce_note", "ce_tenant", "ce_timebasis"), {})
    assert shape.attributes == ("id", "note", "tenant", "timebasis")
    assert [name for name, _ in shape.extras] == ["note", "timebasis"]
    assert shape.missing == ("time", "subject", "agentid", "correlationid", "taskid", "partitionkey")


def test_values_are_read_in_the_order_of_the_headers() -> None:
    shape = layout(("ce_type", "ce_id"), {})
    assert attributes([b"t", b"i"], shape) == type(attributes([b"t", b"i"], shape))("t", "i")
    read = attributes([b"t", b"i"], shape)
    assert (read.id, read.type, read.source) == ("i", "t", "")


def test_headers_that_are_no_attributes_are_passed_over() -> None:
    shape = layout(("x", "ce_id", "y"), {})
    assert shape.take is not None
    assert attributes(shape.take([b"\xff", b"i", b"\n"]), shape).id == "i"


def test_an_attribute_may_be_called_like_a_field_of_ours() -> None:
    shape = layout(("ce_contenttype", "content-type", "ce_extra0"), {})
    read = attributes([b"a", b"b", b"c"], shape)
    assert read.contenttype == "b"
    assert {name: getattr(read, field) for name, field in shape.extras} == {"contenttype": "a", "extra0": "c"}


@pytest.mark.parametrize("name", ["ce_", "ce_a\nb", "ce_" + "x" * 65, "ce_\udcff"])
def test_a_name_that_is_none_is_malformed(name: str) -> None:
    with pytest.raises(MalformedRecord, match="name"):
        layout((name,), {})


@pytest.mark.parametrize("value", ['a"b', 'a","b', '"', '","', '\\"', "a\\u0041"])
def test_quotes_and_escapes_are_text_like_any_other(value: str) -> None:
    read = attributes([b"i", value.encode(), b"t"], layout(("ce_id", "ce_tenant", "ce_type"), {}))
    assert (read.id, read.tenant, read.type) == ("i", value, "t")


def test_a_name_given_twice_is_malformed_also_in_another_case_of_content_type() -> None:
    for names in (("ce_id", "ce_id"), ("content-type", "Content-Type")):
        with pytest.raises(MalformedRecord, match="twice"):
            layout(names, {})


def test_too_many_attributes_are_refused_by_size() -> None:
    assert layout(tuple(f"ce_a{number}" for number in range(MAX_ATTRIBUTES)), {})
    with pytest.raises(MalformedRecord) as caught:
        layout(tuple(f"ce_a{number}" for number in range(MAX_ATTRIBUTES + 1)), {})
    assert caught.value.stage == "size"


def test_every_field_has_a_limit() -> None:
    assert set(Attributes.__struct_fields__) - {"contenttype"} <= set(LIMITS)
