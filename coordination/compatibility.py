"""Whether two versions of a data schema understand each other: the gate of schema evolution.

FULL_TRANSITIVE on pairs of (reader = open objects, writer = closed objects): what a writer of any older minor
version can write, a reader of the new one must be able to read, and the other way round. An open reader passes over
properties it does not know; a closed writer writes none but its own. So adding an optional property is allowed, and
nothing else is that either side would notice. Only the keywords that our schemas use are judged; any other one is a
finding, because it was not understood.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

# Say nothing about which values are valid.
_NOTES: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "examples"})
_BOUNDS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_CEILINGS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT: Final = ("pattern", "format", "multipleOf", "contentEncoding")
_JUDGED: Final = frozenset(
    {"$ref", "type", "anyOf", "enum", "const", "properties", "required", "additionalProperties", "items"}
).union(_BOUNDS, _CEILINGS, _EXACT)
MAX_DEPTH: Final = 40


def check_compatible(older: Schema, newer: Schema) -> list[str]:
    """What keeps two versions of a schema apart, as sentences; empty if each reads what the other writes."""
    return [
        *(f"a reader of the new version cannot read the old one: {found}" for found in unreadable(older, newer)),
        *(f"a reader of the old version cannot read the new one: {found}" for found in unreadable(newer, older)),
    ]


def unreadable(writer: Schema, reader: Schema) -> list[str]:
    """What a writer's schema allows and a reader's does not, as sentences that begin with the place."""
    return list(_Pair(writer, reader).findings(writer, reader, "data", 0))


class _Pair:
    """A writer's and a reader's schema with their definitions."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._writer, self._reader = writer, reader

    def findings(self, writer: Any, reader: Any, place: str, depth: int) -> Iterator[str]:
        """What is wrong at a place and below it."""
        if reader in (True, {}):
            return
        if depth > MAX_DEPTH:
            yield f"{place}: nested too deep to be judged"
            return
        writer, reader = _resolved(writer, self._writer), _resolved(reader, self._reader)
        strange = sorted((writer.keys() | reader.keys()) - _NOTES - _JUDGED)
        if strange:
            yield f"{place}: cannot judge {', '.join(strange)}"
        elif "anyOf" in writer or "anyOf" in reader:
            yield from self._alternatives(writer, reader, place, depth)
        else:
            for rule in _RULES:
                yield from rule(writer, reader, place)
            yield from self._below(writer, reader, place, depth)

    def _alternatives(self, writer: Schema, reader: Schema, place: str, depth: int) -> Iterator[str]:
        """Each way to write must be readable in at least one way."""
        for one in writer.get("anyOf", [writer]):
            ways = [list(self.findings(one, other, place, depth + 1)) for other in reader.get("anyOf", [reader])]
            if all(ways):
                # Of several ways that fail, the one that comes closest tells most.
                yield from min(ways, key=len)

    def _below(self, writer: Schema, reader: Schema, place: str, depth: int) -> Iterator[str]:
        if "items" in reader and _may_be(writer, "array"):
            yield from self.findings(writer.get("items", True), reader["items"], f"{place}[]", depth + 1)
        if not _may_be(writer, "object"):
            return
        known, others = reader.get("properties", {}), reader.get("additionalProperties", True)
        for name, schema in writer.get("properties", {}).items():
            if name in known:
                yield from self.findings(schema, known[name], f"{place}.{name}", depth + 1)
            elif isinstance(others, Mapping):
                yield from self.findings(schema, others, f"{place}.{name}", depth + 1)
        if isinstance(writer.get("additionalProperties"), Mapping) and isinstance(others, Mapping):
            yield from self.findings(writer["additionalProperties"], others, f"{place}.*", depth + 1)


def _resolved(schema: Any, root: Schema) -> Schema:
    """The schema itself, references followed; `true` allows everything."""
    seen = 0
    while isinstance(schema, Mapping) and "$ref" in schema and seen < MAX_DEPTH:
        seen += 1
        found: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema if isinstance(schema, Mapping) else {}


def _types(schema: Schema) -> frozenset[str] | None:
    """The JSON types a schema allows, None for all; `number` includes `integer`."""
    given = schema.get("type")
    if given is None:
        values = schema.get("enum", [schema["const"]] if "const" in schema else None)
        return None if values is None else frozenset(_type_of(value) for value in values)
    found = frozenset([given] if isinstance(given, str) else given)
    return found | {"integer"} if "number" in found else found


def _type_of(value: Any) -> str:
    names = ((bool, "boolean"), (str, "string"), (int, "integer"), (float, "number"), (list, "array"), (dict, "object"))
    return next((name for kind, name in names if isinstance(value, kind)), "null")


def _may_be(schema: Schema, kind: str) -> bool:
    types = _types(schema)
    return types is None or kind in types


def _kind(writer: Schema, reader: Schema, place: str) -> Iterator[str]:
    written, read = _types(writer), _types(reader)
    if read is None:
        return
    if written is None:
        yield f"{place}: may be of any type, only {_listed(read)} can be read"
    elif written - read:
        yield f"{place}: may be {_listed(written - read)}, only {_listed(read)} can be read"


def _values(writer: Schema, reader: Schema, place: str) -> Iterator[str]:
    read = _enumerated(reader)
    if read is None:
        return
    written = _enumerated(writer)
    if written is None:
        yield f"{place}: may be any value, only {read} can be read"
    elif strange := [value for value in written if value not in read]:
        yield f"{place}: may be {strange}, only {read} can be read"


def _enumerated(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _limits(writer: Schema, reader: Schema, place: str) -> Iterator[str]:
    for names, within in ((_BOUNDS, operator.ge), (_CEILINGS, operator.le)):
        for name in names:
            if name in reader and not _within(writer.get(name), reader[name], within):
                yield f"{place}: {name} is {writer.get(name, 'not set')}, {reader[name]} can be read"


def _within(written: Any, read: Any, within: Callable[[Any, Any], Any]) -> bool:
    return written is not None and (written == read or within(written, read) is True)


def _shapes(writer: Schema, reader: Schema, place: str) -> Iterator[str]:
    for name in _EXACT:
        if name in reader and writer.get(name) != reader[name]:
            yield f"{place}: {name} is {writer.get(name, 'not set')!r}, {reader[name]!r} is needed"


def _presence(writer: Schema, reader: Schema, place: str) -> Iterator[str]:
    if not _may_be(writer, "object"):
        return
    for name in reader.get("required", ()):
        if name not in writer.get("required", ()):
            yield f"{place}.{name}: may be missing, and is needed"
    if reader.get("additionalProperties") is False:
        for name in sorted(writer.get("properties", {}).keys() - reader.get("properties", {}).keys()):
            yield f"{place}.{name}: may be there, and is not allowed"


_RULES: Final = (_kind, _values, _limits, _shapes, _presence)


def _listed(types: frozenset[str]) -> str:
    return " or ".join(sorted(types))
