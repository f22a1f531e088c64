"""Structured mode: the whole event as one JSON object, turned into the headers and value of binary mode.

The body wins over `ce_` headers that travel with it; a difference is counted, not refused.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from coordination.attributes import CONTENT_TYPE, PREFIX, malformed
from coordination.errors import MalformedRecord

MEDIA_TYPE: Final = "application/cloudevents"
JSON: Final = b"application/json"
MAX_INTEGER: Final = 2**31 - 1

Pairs = list[tuple[str, bytes]]

_BODY: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Twice(dict[str, Any]):
    """A JSON object in which a key stood twice; `key` is the first such key."""

    key: str = ""


def is_structured(content_type: str) -> bool:
    """Whether a content type announces structured mode. A batch is not allowed on a log."""
    return content_type.lower().startswith(MEDIA_TYPE)


def unfold(body: bytes | None, content_type: str) -> tuple[Pairs, bytes | None]:
    """The headers and the value that binary mode would have had. Raises MalformedRecord."""
    kind = content_type.lower().partition(";")[0].strip()
    if kind not in (MEDIA_TYPE, f"{MEDIA_TYPE}+json"):
        raise malformed(CONTENT_TYPE, f"{kind[:80]!r} cannot be read, only {MEDIA_TYPE}+json")
    members = _members(body or b"")
    pairs: Pairs = [(CONTENT_TYPE, JSON)]
    for name, raw in members.items():
        if name not in ("data", "data_base64", "datacontenttype"):
            text = _text(name, raw)
            if text is not None:
                pairs.append((PREFIX + name, text.encode()))
    return pairs, _data(members)


def _members(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        members = _BODY.decode(body)
        twice = json.loads(body, object_pairs_hook=_pairs)
    except (ValueError, RecursionError) as error:
        raise MalformedRecord(f"the body is no JSON object: {error}", stage="envelope") from None
    if isinstance(twice, _Twice):
        raise malformed(twice.key[:64], "is given twice")
    return members


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    seen: set[str] = set()
    twice = _Twice(plain)
    twice.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return twice


def _text(name: str, raw: msgspec.Raw) -> str | None:
    """An attribute as its canonical text; None where it is null, which means absent."""
    value = msgspec.json.decode(raw)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
        return str(value)
    raise malformed(name[:64], "is neither text, nor a truth value, nor an integer of 32 bits")


def _data(members: Mapping[str, msgspec.Raw]) -> bytes | None:
    raw, encoded = members.get("data"), members.get("data_base64")
    if raw is not None and encoded is not None:
        raise MalformedRecord("both data and data_base64 are given", stage="data", attribute="data_base64")
    if encoded is not None:
        return _decoded(encoded)
    value = None if raw is None else bytes(raw)
    return None if value == b"null" else value


def _decoded(raw: msgspec.Raw) -> bytes:
    try:
        return base64.b64decode(msgspec.json.decode(raw, type=str), validate=True)
    except (msgspec.ValidationError, binascii.Error, ValueError) as error:
        raise MalformedRecord(f"data_base64 is not base64: {error}", stage="data", attribute="data_base64") from None


def differs(headers: Iterable[tuple[str, bytes]], pairs: Pairs) -> bool:
    """Whether a `ce_` header says something else than the body, or something the body does not say."""
    body = dict(pairs)
    return any(name.startswith(PREFIX) and body.get(name) != value for name, value in headers)
