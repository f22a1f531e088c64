"""Rules of schema evolution: what both sides understand may change, and nothing else."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from coordination.compatibility import check_compatible, unreadable
from coordination.events import CATALOGUE

Schema = dict[str, Any]


def thing(required: tuple[str, ...] = (), **properties: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


TEXT: Schema = {"type": "string"}
MAYBE: Schema = {"anyOf": [{"type": "string"}, {"type": "null"}]}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (thing(a=TEXT), thing(a=TEXT, b=TEXT)),
        (thing(("a",), a=TEXT), thing(("a",), a=TEXT, b=MAYBE)),
        (thing(a={"type": "string", "description": "x"}), thing(a={"type": "string", "title": "y", "default": ""})),
        (thing(a={"enum": ["x", "y"]}), thing(a={"enum": ["y", "x"]})),
        (thing(a=True), thing(a={})),
        ({"$ref": "#/$defs/T", "$defs": {"T": thing(a=TEXT)}}, thing(a=TEXT)),
    ],
)
def test_optional_properties_notes_and_ways_to_say_the_same_may_change(older: Schema, newer: Schema) -> None:
    assert check_compatible(older, newer) == []


@pytest.mark.parametrize(
    ("older", "newer", "place"),
    [
        (thing(), thing(("a",), a=TEXT), "data.a: may be missing"),
        (thing(a=TEXT), thing(("a",), a=TEXT), "data.a: may be missing"),
        (thing(a=TEXT), thing(a={"type": "integer"}), "data.a: may be string"),
        (thing(a=TEXT), thing(a=MAYBE), "data.a: may be null"),
        (thing(a={"type": "integer"}), thing(a={"type": "number"}), "data.a: may be number"),
        (thing(a={"enum": ["x"]}), thing(a={"enum": ["x", "y"]}), "data.a: may be ['y']"),
        (thing(a={"enum": ["x"]}), thing(a=TEXT), "data.a: may be any value"),
        (thing(a={"const": 1}), thing(a={"const": 2}), "data.a: may be [1]"),
        (thing(a=TEXT), thing(a={"type": "string", "maxLength": 5}), "data.a: maxLength is not set"),
        (
            thing(a={"type": "integer", "minimum": 0}),
            thing(a={"type": "integer", "minimum": 1}),
            "data.a: minimum is 0",
        ),
        (thing(a={"type": "number", "maximum": 2.5}), thing(a={"type": "number", "maximum": 1}), "maximum is 2.5"),
        (thing(a={**TEXT, "pattern": "a"}), thing(a={**TEXT, "pattern": "b"}), "data.a: pattern is 'a'"),
        (thing(a=TEXT), thing(a={**TEXT, "format": "date-time"}), "data.a: format is 'not set'"),
        (
            thing(a={"type": "array", "items": TEXT}),
            thing(a={"type": "array", "items": MAYBE}),
            "data.a[]: may be null",
        ),
        (thing(a=thing(b=TEXT)), thing(a=thing(b={"type": "integer"})), "data.a.b: may be string"),
        (
            thing(a={"type": "object", "additionalProperties": TEXT}),
            thing(a={"type": "object", "additionalProperties": {"type": "integer"}}),
            "data.a.*: may be string",
        ),
        (thing(a=TEXT), {**thing(), "additionalProperties": False}, "data.a: may be there"),
        (thing(a={"not": {}}), thing(a={"not": {}}), "cannot judge not"),
        (thing(a=True), thing(a=TEXT), "data.a: may be of any type"),
    ],
)
def test_what_one_side_would_notice_is_told_with_its_place(older: Schema, newer: Schema, place: str) -> None:
    found = check_compatible(older, newer)
    assert found
    assert any(place in words for words in found)


def test_the_direction_is_told() -> None:
    narrowed = check_compatible(thing(a=TEXT), thing(("a",), a=TEXT))
    widened = check_compatible(thing(("a",), a=TEXT), thing(a=TEXT))
    assert [words.split(":")[0] for words in narrowed] == ["a reader of the new version cannot read the old one"]
    assert [words.split(":")[0] for words in widened] == ["a reader of the old version cannot read the new one"]


def test_a_schema_that_refers_to_itself_is_not_judged_for_ever() -> None:
    endless = {"$ref": "#/$defs/T", "$defs": {"T": thing(a={"$ref": "#/$defs/T"})}}
    assert "too deep" in check_compatible(endless, endless)[0]


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_schema_understands_itself(name: str) -> None:
    schema = msgspec.json.schema(CATALOGUE[name].schema)
    assert check_compatible(schema, schema) == []


leaves = st.sampled_from(
    [
        TEXT,
        MAYBE,
        {"type": "integer"},
        {"type": "integer", "minimum": 1},
        {"type": "number"},
        {"type": "boolean"},
        {"enum": ["x", "y"]},
        {"enum": ["x"]},
        {"type": "string", "maxLength": 1},
        {"type": "null"},
        {},
    ]
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    return properties.flatmap(
        lambda found: st.sets(st.sampled_from(sorted(found)) if found else st.nothing()).map(
            lambda required: {"type": "object", "properties": found, "required": sorted(required)}
        )
    )


def arrays(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return inner.map(lambda items: {"type": "array", "items": items})


schemas = objects(st.recursive(leaves, lambda inner: st.one_of(objects(inner), arrays(inner)), max_leaves=4))
VALUES = ["x", "y", "long", "", 0, 1, -3, 2.5, True, None]


def closed(schema: Any) -> Any:
    """The writer's schema: no property but its own."""
    if isinstance(schema, Mapping):
        plain = {name: closed(value) for name, value in schema.items()}
        return (
            plain | {"additionalProperties": False}
            if "properties" in plain and plain.get("type") == "object"
            else plain
        )
    return [closed(one) for one in schema] if isinstance(schema, list) else schema


documents = st.recursive(
    st.sampled_from(VALUES),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=6,
)


@given(schemas, schemas, st.lists(documents, min_size=5, max_size=20))
def test_where_nothing_is_found_a_validator_reads_all_that_the_writer_may_write(
    writer: Schema, reader: Schema, candidates: list[Any]
) -> None:
    writes, reads = Draft202012Validator(closed(writer)), Draft202012Validator(reader)
    candidates += [dict.fromkeys("abc", value) for value in VALUES]
    counter = [one for one in candidates if writes.is_valid(one) and not reads.is_valid(one)]
    if counter:
        assert unreadable(writer, reader), json.dumps(counter[0])
