"""The attributes of an envelope on the wire: names, limits, and which header holds which.

Records of one producer carry the same headers in the same order, so the work of understanding the names
(`ce_` prefix, duplicates, limits, what is missing) is done once per list of names and kept as a Layout.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Annotated, Final, get_type_hints

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

_16 = Annotated[str, msgspec.Meta(max_length=16)]
_64 = Annotated[str, msgspec.Meta(max_length=64)]
_128 = Annotated[str, msgspec.Meta(max_length=128)]
_192 = Annotated[str, msgspec.Meta(max_length=192)]
_256 = Annotated[str, msgspec.Meta(max_length=256)]


class Attributes(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The attributes a reader looks at, as text within their limits; empty where missing.

    Array-like, so that msgspec checks all limits in one pass over the picked values.
    """

    specversion: _16
    id: _128
    source: _256
    type: _128
    time: _64
    subject: _192
    tenant: _64
    agentid: _128
    agentgroup: _128
    correlationid: _128
    causationid: _128
    taskid: _128
    parenttaskid: _128
    attempt: _16
    targetgroup: _128
    foldkey: _128
    idempotencykey: _128
    fanoutid: _128
    fanoutindex: _16
    fanoutcount: _16
    sequence: _64
    partitionkey: _256
    expirytime: _64
    timebasis: _16
    traceparent: _256
    contenttype: _256


PICKED: Final = tuple(
    CONTENT_TYPE if name == "contenttype" else name for name in Attributes.__struct_fields__
)
LIMITS: Final[Mapping[str, int]] = {
    "agentrole": 128,
    "conversationid": 128,
    "authid": 128,
    "dataschema": 256,
    "tracestate": 512,
    **{
        name: hint.__metadata__[0].max_length
        for name, hint in zip(PICKED, get_type_hints(Attributes, include_extras=True).values(), strict=True)
    },
}

# These have fields of their own in an Event, all others are its extensions.
_FIELDS: Final = frozenset(PICKED) - {"timebasis", "traceparent"}
# What our own producers always send, and a reader therefore infers for foreign ones.
_INFERABLE: Final = ("time", "subject", "tenant", "agentid", "correlationid", "taskid", "partitionkey")

# C0 without the newline that joins the values, and DEL; C1 is looked for only where a value is not ASCII.
_CONTROLS: Final = bytes([*range(10), *range(11, 32), 127])


class Layout(msgspec.Struct, frozen=True, gc=False):
    """What one list of header names means.

    `take` gives the values that matter (None: all of them), `attributes` stand in their order. `pick` gives the
    fields of Attributes from the texts, to which one empty text has been appended for what is missing.
    `extras` are the attributes without a field in an Event, `missing` those a reader infers.
    """

    take: Callable[[Sequence[bytes]], Sequence[bytes]] | None
    attributes: tuple[str, ...]
    pick: Callable[[Sequence[str]], tuple[str, ...]]
    extras: tuple[tuple[str, int], ...]
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
    attributes = [name for name in found if name != CONTENT_TYPE]
    if len(attributes) > MAX_ATTRIBUTES:
        raise MalformedRecord(
            f"{len(attributes)} attributes, at most {MAX_ATTRIBUTES} are allowed", stage="size"
        )
    for name in attributes:
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise malformed(name[:MAX_NAME], "is no attribute name")


def _layout(names: tuple[str, ...], found: dict[str, int]) -> Layout:
    order = {attribute: index for index, attribute in enumerate(found)}
    indexes = tuple(found.values())
    return Layout(
        take=None if len(indexes) == len(names) else _taker(indexes),
        attributes=tuple(found),
        pick=itemgetter(*(order.get(attribute, -1) for attribute in PICKED)),
        extras=tuple((name, index) for name, index in order.items() if name not in _FIELDS),
        missing=tuple(name for name in _INFERABLE if name not in found),
        name_bytes=sum(len(name.encode(errors="surrogatepass")) for name in names),
    )


def _taker(indexes: tuple[int, ...]) -> Callable[[Sequence[bytes]], Sequence[bytes]]:
    return lambda values: [values[index] for index in indexes]


def texts(values: Sequence[bytes], shape: Layout) -> list[str]:
    """The values as text, in the order of `shape.attributes`, and one empty text after them.

    Raises MalformedRecord naming the attribute that is not UTF-8 or has a control character.
    """
    try:
        joined = b"\n".join(values)
    except TypeError:
        # Kafka allows a header without a value; it says as much as no header.
        return texts([value or b"" for value in values], shape)
    if len(joined) + shape.name_bytes > MAX_HEADER_BYTES:
        raise MalformedRecord(
            f"{len(joined) + shape.name_bytes} bytes of headers, at most {MAX_HEADER_BYTES} are allowed",
            stage="size",
        )
    found = _plain(joined) if joined.isascii() else []
    if len(found) != len(values):
        found = [_text(*pair) for pair in zip(shape.attributes, values, strict=True)]
    found.append("")
    return found


def _plain(joined: bytes) -> list[str]:
    """The texts of ASCII values; none of them if one has a control character (a newline makes one too many)."""
    if len(joined.translate(None, _CONTROLS)) != len(joined):
        return []
    return joined.decode("ascii").split("\n")


def _text(attribute: str, value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise malformed(attribute, f"is not UTF-8 ({error.reason} at byte {error.start})") from None
    check(attribute, text)
    return text


def understood(found: list[str], shape: Layout) -> Attributes:
    """The texts as Attributes. Raises MalformedRecord for a value over its limit."""
    try:
        attributes = msgspec.convert(shape.pick(found), Attributes)
    except msgspec.ValidationError:
        for pair in zip(shape.attributes, found, strict=False):
            check(*pair)
        raise
    for name, index in shape.extras:
        if len(found[index]) > MAX_OTHER or name in LIMITS:
            check(name, found[index])
    return attributes


def check(attribute: str, text: str) -> None:
    """Raise MalformedRecord if a value is over its limit of characters or has a control character (Cc)."""
    limit = LIMITS.get(attribute, MAX_OTHER)
    if len(text) > limit:
        raise malformed(attribute, f"is longer than {limit} characters")
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in text):
        raise malformed(attribute, "has a control character")


def malformed(attribute: str, what: str) -> MalformedRecord:
    """The error for one bad attribute."""
    return MalformedRecord(f"attribute {attribute!r} {what}", stage="envelope", attribute=attribute)
