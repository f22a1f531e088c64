"""Masking: what records carry is hidden field by field, before it is shown, searched or exported.

Three kinds of rules, any of which hides: the class a record declares of itself (`dataclassification`) hides all it
carries; a path hides what lies there, wherever the event is or in types that match; a header's name hides its value.
Paths are names parted by dots, `*` for any one name or index, `**` for any number of them: `customer.email`,
`**.password`, `messages.*.content`. Names compare without regard to case.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from coordination.decoding import unframed
from coordination.eventlog import StoredRecord

MASK: Final = "•••"
MAX_DEPTH: Final = 200
CLASSIFICATION: Final = "ce_dataclassification"


class PathRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What lies at this path is hidden, in events whose type (without prefix) matches `types`."""

    path: str
    types: str = "*"


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The masking rules of an installation."""

    classes: tuple[str, ...] = ()
    paths: tuple[PathRule, ...] = ()
    headers: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.classes) + len(self.paths) + len(self.headers)


def parsed(value: Any) -> Rules:
    """Rules out of JSON; a path may be given as text alone. Raises msgspec.ValidationError."""
    given = dict(value) if isinstance(value, Mapping) else value
    if isinstance(given, dict) and isinstance(given.get("paths"), list | tuple):
        given["paths"] = [{"path": each} if isinstance(each, str) else each for each in given["paths"]]
    found = msgspec.convert(given, Rules)
    wrong = next((rule.path for rule in found.paths if not rule.path.strip(".")), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is no path; write names parted by dots, for instance customer.email")
    return found


class Masked(msgspec.Struct, frozen=True):
    """What is left of something after masking, and how many values were hidden."""

    value: Any
    hidden: int


def classified(record: StoredRecord, rules: Rules) -> str:
    """The class for which all that a record carries is hidden; empty if there is none."""
    wanted = {name.lower() for name in rules.classes}
    for name, value in record.headers:
        if name.lower() == CLASSIFICATION:
            declared = value.decode(errors="replace").strip().lower()
            if declared in wanted:
                return declared
    return ""


def masked_data(data: Any, kind: str, rules: Rules) -> Masked:
    """JSON data of an event of this type (catalogue name, or the whole type) with what the rules hide."""
    paths = [
        tuple(rule.path.lower().split(".")) for rule in rules.paths if fnmatchcase(kind.lower(), rule.types.lower())
    ]
    hidden = 0

    def walk(value: Any, here: list[tuple[str, ...]], depth: int) -> Any:
        nonlocal hidden
        if any(_ends(path) for path in here) or depth > MAX_DEPTH:
            hidden += 1
            return MASK
        if not here:
            return value
        if isinstance(value, Mapping):
            return {name: walk(each, _below(here, str(name)), depth + 1) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [walk(each, _below(here, str(place)), depth + 1) for place, each in enumerate(value)]
        return value

    return Masked(walk(data, paths, 0), hidden) if paths else Masked(data, 0)


def masked_field(field: str, value: Any, kind: str, rules: Rules) -> Any:
    """One field of an event's data, as `masked_data` leaves it."""
    shown = masked_data({field: value}, kind, rules).value
    return MASK if shown == MASK else shown[field]


def masked_headers(headers: Sequence[tuple[str, bytes]], rules: Rules) -> tuple[tuple[str, bytes], ...]:
    """Headers with the values that the rules hide; patterns of shell kind, with or without `ce_`."""
    return tuple((name, MASK.encode() if hides(name, rules) else value) for name, value in headers)


def hides(name: str, rules: Rules) -> bool:
    """Whether the value of this header is hidden."""
    bare = name.lower().removeprefix("ce_")
    return any(fnmatchcase(candidate, rule.lower()) for rule in rules.headers for candidate in (name.lower(), bare))


def masked_record(record: StoredRecord, kind: str, rules: Rules, *, framed: bool = False) -> tuple[StoredRecord, int]:
    """A record as those see it who may see payloads but nothing behind the mask, and how many values are hidden.

    `framed`: what a schema registry puts before values is left out."""
    if framed and record.value:
        record = msgspec.structs.replace(record, value=unframed(record.value))
    headers = masked_headers(record.headers, rules)
    hidden = sum(one != other for one, other in zip(headers, record.headers, strict=True))
    if not record.value:
        return msgspec.structs.replace(record, headers=headers), hidden
    if classified(record, rules):
        return msgspec.structs.replace(record, headers=headers, value=f'"{MASK}"'.encode()), hidden + 1
    if not rules.paths:
        return msgspec.structs.replace(record, headers=headers), hidden
    try:
        data = msgspec.json.decode(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # What cannot be read cannot be searched for what must be hidden.
        return msgspec.structs.replace(record, headers=headers, value=f'"{MASK}"'.encode()), hidden + 1
    inner = data.get("data") if isinstance(data, Mapping) and "specversion" in data else None
    found = masked_data(data if inner is None else inner, kind, rules)
    if not found.hidden:
        return msgspec.structs.replace(record, headers=headers), hidden
    shown = found.value if inner is None else {**data, "data": found.value}
    return msgspec.structs.replace(record, headers=headers, value=msgspec.json.encode(shown)), hidden + found.hidden


def _ends(path: tuple[str, ...]) -> bool:
    return not path or all(step == "**" for step in path)


def _below(paths: Sequence[tuple[str, ...]], name: str) -> list[tuple[str, ...]]:
    """What is left of paths after a step to `name`."""
    name, found = name.lower(), []
    for path in paths:
        while path and path[0] == "**":
            found.append(path)
            path = path[1:]
        if path and (path[0] == "*" or fnmatchcase(name, path[0])):
            found.append(path[1:])
    return found
