"""The attributes of an envelope on the wire: names, limits, and which header holds which.

Records of one producer carry the same headers in the same order, so the work of understanding the names
(`ce_` prefix, duplicates, limits, what is missing) is done once per list of names and kept as a Layout.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, cast

import msgspec

from coordination.errors import MalformedRecord

PREFIX: Final = "ce_"
CONTENT_TYPE: Final = "content-type"

# Readers and writers alike. Record and data: the reader's limit, and what a writer may send.
MAX_ATTRIBUTES: Final = 40
MAX_HEADER_BYTES: Final = 8 * 1024
MAX_DATA_BYTES: Final = 48 * 1024
MAX_RECORD_BYTES: Final = 1024 * 1024

MAX_NAME: Final = 64
MAX_OTHER: Final = 1024


class Attributes(msgspec.Struct, frozen=True, gc=False):
    """The attributes a reader looks at, as text; empty where missing. Their limits stand in LIMITS."""

    specversion: str = ""
    id: str = ""
    source: str = ""
    type: str = ""
    time: str = ""
    subject: str = ""
    tenant: str = ""
    agentid: str = ""
    agentgroup: str = ""
    correlationid: str = ""
    causationid: str = ""
    taskid: str = ""
    parenttaskid: str = ""
    attempt: str = ""
    targetgroup: str = ""
    foldkey: str = ""
    idempotencykey: str = ""
    fanoutid: str = ""
    fanoutindex: str = ""
    fanoutcount: str = ""
    sequence: str = ""
    partitionkey: str = ""
    expirytime: str = ""
    timebasis: str = ""
    traceparent: str = ""
    contenttype: str = ""


LIMITS: Final[Mapping[str, int]] = {
    CONTENT_TYPE: 256,
    "specversion": 16,
    "id": 128,
    "source": 256,
    "type": 128,
    "time": 64,
    "subject": 192,
    "tenant": 64,
    "agentid": 128,
    "agentgroup": 128,
    "agentrole": 128,
    "correlationid": 128,
    "causationid": 128,
    "taskid": 128,
    "parenttaskid": 128,
    "attempt": 16,
    "targetgroup": 128,
    "foldkey": 128,
    "idempotencykey": 128,
    "fanoutid": 128,
    "fanoutindex": 16,
    "fanoutcount": 16,
    "sequence": 64,
    "partitionkey": 256,
    "expirytime": 64,
    "timebasis": 16,
    "conversationid": 128,
    "traceparent": 256,
    "tracestate": 512,
    "dataschema": 256,
    "authid": 128,
}

_READ: Final = frozenset(Attributes.__struct_fields__) - {"contenttype"}
# These two are read and yet kept with the extensions.
_BOTH: Final = frozenset({"timebasis", "traceparent"})
# What our own producers always send, and a reader therefore infers for foreign ones.
_INFERABLE: Final = ("time", "subject", "tenant", "agentid", "correlationid", "taskid", "partitionkey")
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_QUOTE, _BACKSLASH, _DELETE = b'"\\\x7f'


class Layout(msgspec.Struct, frozen=True, gc=False):
    """What one list of header names means.

    `take` gives the values that matter (None: all of them), `attributes` stand in their order. `read` makes
    Attributes of a JSON array of the values: msgspec splits, checks UTF-8, control characters and limits in one
    pass, at half the price of doing so by hand. `extras` are (attribute, field) of what has no field in an
    Event, `missing` the attributes a reader infers.
    """

    take: Callable[[Sequence[bytes]], Sequence[bytes]] | None
    attributes: tuple[str, ...]
    read: Callable[[bytes], Attributes]
    extras: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    name_bytes: int


def layout(names: tuple[str, ...], foreign: Mapping[str, str]) -> Layout:
    """Understand header names; `foreign` maps other header names to ours. Raises MalformedRecord."""
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        attribute = _attribute(name, foreign, names)
        if attribute is None:
            continue
        if attribute in found:
            raise malformed(attribute, "is given twice")
        found[attribute] = index
    _check_names(found)
    return _layout(names, found)


def _attribute(name: str, foreign: Mapping[str, str], names: Sequence[str]) -> str | None:
    if foreign and name in foreign:
        # Our own header wins over a mapped one: a producer may send both while it moves over.
        name = foreign[name] if foreign[name] not in names else ""
    if name.startswith(PREFIX):
        return name[len(PREFIX) :]
    return CONTENT_TYPE if name.lower() == CONTENT_TYPE else None


def _check_names(found: Mapping[str, int]) -> None:
    given = [name for name in found if name != CONTENT_TYPE]
    if len(given) > MAX_ATTRIBUTES:
        raise MalformedRecord(f"{len(given)} attributes, at most {MAX_ATTRIBUTES} are allowed", stage="size")
    for name in given:
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise malformed(name[:MAX_NAME], "is no attribute name")


def _layout(names: tuple[str, ...], found: dict[str, int]) -> Layout:
    indexes = tuple(found.values())
    fields = {attribute: _field(attribute, index) for index, attribute in enumerate(found)}
    return Layout(
        take=None if len(indexes) == len(names) else _taker(indexes),
        attributes=tuple(found),
        read=_reader(fields),
        extras=tuple(pair for pair in fields.items() if pair[1] not in _READ - _BOTH and pair[0] != CONTENT_TYPE),
        missing=tuple(name for name in _INFERABLE if name not in found),
        name_bytes=sum(len(name.encode(errors="surrogatepass")) for name in names),
    )


def _field(attribute: str, index: int) -> str:
    if attribute in _READ:
        return attribute
    return "contenttype" if attribute == CONTENT_TYPE else f"extra{index}"


def _reader(fields: Mapping[str, str]) -> Callable[[bytes], Attributes]:
    """A decoder of arrays in the order of these fields, into a struct with all fields of Attributes."""
    given = [
        (field, Annotated[str, msgspec.Meta(max_length=LIMITS.get(attribute, MAX_OTHER))])
        for attribute, field in fields.items()
    ]
    absent = [(field, str, "") for field in Attributes.__struct_fields__ if field not in fields.values()]
    shape = msgspec.defstruct("Given", [*given, *absent], array_like=True, frozen=True, gc=False)
    return cast(Callable[[bytes], Attributes], msgspec.json.Decoder(shape).decode)


def _taker(indexes: tuple[int, ...]) -> Callable[[Sequence[bytes]], Sequence[bytes]]:
    return lambda values: [values[index] for index in indexes]


def attributes(values: Sequence[bytes], shape: Layout) -> Attributes:
    """The values, in the order of `shape.attributes`, as Attributes.

    Raises MalformedRecord naming the attribute that is over-long, not UTF-8 or has a control character.
    """
    try:
        joined = b'","'.join(values)
    except TypeError:
        # Kafka allows a header without a value; it says as much as no header.
        return attributes([value or b"" for value in values], shape)
    if len(joined) + shape.name_bytes > MAX_HEADER_BYTES:
        raise MalformedRecord(f"over {MAX_HEADER_BYTES} bytes of headers", stage="size")
    # Only what JSON would write as it stands may be read as JSON: no quote, no escape, no DEL (which JSON allows).
    quotes = 2 * len(values) - 2
    if joined.count(_QUOTE) != quotes or _BACKSLASH in joined or _DELETE in joined or not joined.isascii():
        return _singly(values, shape)
    try:
        return shape.read(b'["%b"]' % joined)
    except msgspec.MsgspecError:
        return _singly(values, shape)


def _singly(values: Sequence[bytes], shape: Layout) -> Attributes:
    texts = [_text(*pair) for pair in zip(shape.attributes, values, strict=True)]
    return shape.read(msgspec.json.encode(texts))


def _text(attribute: str, value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise malformed(attribute, f"is not UTF-8 ({error.reason} at byte {error.start})") from None
    check(attribute, text)
    return text


def check(attribute: str, text: str) -> None:
    """Raise MalformedRecord if a value is over its limit, has a control character (Cc) or no UTF-8 form."""
    limit = LIMITS.get(attribute, MAX_OTHER)
    if len(text) > limit:
        raise malformed(attribute, f"is longer than {limit} characters")
    if not text.isprintable() and _UNFIT.search(text):
        raise malformed(attribute, "has a control character or half a surrogate pair")


def malformed(attribute: str, what: str) -> MalformedRecord:
    """The error for one bad attribute."""
    return MalformedRecord(f"attribute {attribute!r} {what}", stage="envelope", attribute=attribute)
