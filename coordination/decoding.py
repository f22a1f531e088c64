"""How an event is read from a record.

CloudEvents 1.0 over Kafka: binary mode, the value is the data and every attribute a header `ce_<name>`;
structured mode is read too. What makes a record malformed is decided here and nowhere else: id, source, type or
specversion missing; an attribute twice, over-long, not UTF-8 or with control characters; another specversion; a
time or an integer that cannot be parsed; data that are no JSON, or of a known type and not as its schema says;
more than 1 MiB. Everything else passes: what is missing is inferred where that can be done and named in
`inferred`, what is odd is named in `flags`.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from coordination.attributes import (
    MAX_RECORD_BYTES,
    Attributes,
    Layout,
    attributes,
    layout,
    malformed,
)
from coordination.errors import MalformedRecord
from coordination.event import Event
from coordination.eventlog import APPEND_TIME, Record
from coordination.events import CATALOGUE, EventType
from coordination.inference import DEFAULT_TENANT, inferred
from coordination.instants import MICROSECONDS, parse
from coordination.manifest import TOPICS, Manifest
from coordination.structured import differs, is_structured, unfold
from coordination.traceparent import is_traceparent

SPECVERSION: Final = "1.0"
TIME_BASES: Final = frozenset({"recorded", "derived"})
SKEW: Final = 5 * 60 * MICROSECONDS
MAX_INTEGER: Final = 2**31 - 1
MAX_LAYOUTS: Final = 512
# Length of what a schema registry puts before the value, by the magic byte: id of 4 bytes, or a UUID.
FRAMES: Final = {0: 5, 1: 17}

# The numbers of nearly all attempts and branches.
_INTEGERS: Final = {str(number): number for number in range(1000)}
_CULPRIT: Final = re.compile(r"required field `([^`]+)`(?: - at `\$\.?([^`]*)`)?|at `\$\.?([^`]*)`")


class _Reading(msgspec.Struct, frozen=True, gc=False):
    """How the data of one type are read. `empty`: the data where there is no value, None if it must have one."""

    name: str
    known: bool
    read: Any
    empty: Any
    tombstone: bool


def _reading(entry: EventType) -> _Reading:
    decoder = msgspec.json.Decoder(entry.schema)
    try:
        empty = decoder.decode(b"{}")
    except msgspec.ValidationError:
        empty = None
    return _Reading(entry.name, True, decoder.decode, empty, TOPICS[entry.topic].compacted)


_READINGS: Final = {entry.type: _reading(entry) for entry in CATALOGUE.values()}
_UNKNOWN: Final = _Reading("", False, msgspec.json.Decoder().decode, None, True)


def unframed(value: bytes) -> bytes:
    """A value without a schema registry's magic byte and id, if it has them."""
    return value[FRAMES[value[0]] :] if value and value[0] in FRAMES else value


class Decoder:
    """Reads the records of one log, whose topic and header names a manifest declares.

    `framed`: a schema registry is in use, so a value may begin with a magic byte and a schema id; the manifest's
    mapping may say so too.
    """

    def __init__(self, manifest: Manifest | None = None, *, framed: bool = False) -> None:
        self._manifest = manifest or Manifest()
        self._framed = framed or self._manifest.mapping.framed
        self._layouts: dict[tuple[str, ...], Layout] = {}

    def decode(self, record: Record, *, now: int | None = None) -> Event:
        """The event a record holds. Raises MalformedRecord and nothing else.

        `now` (microseconds) is what `time` is compared with where the log does not stamp append time; where
        it does, the append time is, so that reading again gives the same flags.
        """
        value = record.value
        if value:
            if len(value) > MAX_RECORD_BYTES:
                raise MalformedRecord(f"{len(value)} bytes, at most {MAX_RECORD_BYTES} are read", stage="size")
            if self._framed:
                value = unframed(value)
        shape, given = self._read(record.headers)
        flags: tuple[str, ...] = ()
        if given.contenttype != "application/json" and is_structured(given.contenttype):
            pairs, value = unfold(value, given.contenttype)
            if differs(record.headers, pairs):
                flags = ("structured_mismatch",)
            shape, given = self._read(pairs)
        extensions: dict[str, str] = {}
        for name, field in shape.extras:
            if text := getattr(given, field):
                extensions[name] = text
        event = _event(record, given, extensions, value, now, flags)
        return inferred(event, shape.missing, record.key, self._manifest) if shape.missing else event

    def _read(self, headers: Sequence[tuple[str, bytes]]) -> tuple[Layout, Attributes]:
        names, values = zip(*headers, strict=True) if headers else ((), ())
        shape = self._layouts.get(names) or self._learn(names)
        return shape, attributes(values if shape.take is None else shape.take(values), shape)

    def _learn(self, names: tuple[str, ...]) -> Layout:
        shape = layout(names, self._manifest.mapping.headers)
        if len(self._layouts) >= MAX_LAYOUTS:
            self._layouts.clear()
        self._layouts[names] = shape
        return shape


def _event(
    record: Record,
    given: Attributes,
    extensions: dict[str, str],
    value: bytes | None,
    now: int | None,
    flags: tuple[str, ...],
) -> Event:
    if given.specversion != SPECVERSION or not given.id or not given.source or not given.type:
        raise _incomplete(given)
    reading = _READINGS.get(given.type, _UNKNOWN)
    stamped = record.timestamp * 1000
    appended = stamped if record.timestamp_type == APPEND_TIME else None
    try:
        time = parse(given.time) if given.time else max(stamped, 0)
        expiry_at = parse(given.expirytime) if given.expirytime else None
    except (ValueError, OverflowError):
        raise _untimely(given) from None
    try:
        data = reading.read(value) if value else _without_value(reading)
    except (ValueError, RecursionError) as error:
        words = f"data of {reading.name or 'an unknown type'}: {error}"
        raise MalformedRecord(words, stage="data", attribute=_culprit(str(error))) from None
    reference = now if appended is None else appended
    if reference is not None and time - reference > SKEW:
        flags += ("time_ahead",)
    key = given.partitionkey
    if key and record.key != key.encode():
        flags += ("key_mismatch",)
    if given.traceparent and not is_traceparent(given.traceparent):
        flags += ("bad_traceparent",)
        del extensions["traceparent"]
    return Event(
        given.id,
        given.source,
        given.type,
        reading.name or given.type,
        reading.known,
        time,
        time if appended is None or given.timebasis in TIME_BASES else appended,
        given.timebasis == "derived",
        given.subject,
        given.tenant or DEFAULT_TENANT,
        given.agentid,
        given.agentgroup,
        given.correlationid,
        given.causationid,
        given.taskid,
        given.parenttaskid,
        _integer("attempt", given.attempt, 1) if given.attempt else None,
        given.targetgroup,
        given.foldkey,
        given.idempotencykey,
        given.fanoutid,
        _integer("fanoutindex", given.fanoutindex, 0) if given.fanoutindex else None,
        _integer("fanoutcount", given.fanoutcount, 0) if given.fanoutcount else None,
        given.sequence or None,
        key,
        expiry_at,
        extensions,
        data,
        record.topic,
        record.partition,
        record.offset,
        (),
        flags,
    )


def _incomplete(given: Attributes) -> MalformedRecord:
    if given.specversion and given.specversion != SPECVERSION:
        return malformed("specversion", f"is {given.specversion!r}, only {SPECVERSION} can be read")
    required = ("specversion", "id", "source", "type")
    return malformed(next(name for name in required if not getattr(given, name)), "is missing")


def _untimely(given: Attributes) -> MalformedRecord:
    try:
        parse(given.time or given.expirytime)
    except (ValueError, OverflowError):
        name = "time" if given.time else "expirytime"
    else:
        name = "expirytime"
    return malformed(name, f"{getattr(given, name)!r} is no RFC 3339 time")


def _integer(attribute: str, text: str, least: int) -> int:
    known = _INTEGERS.get(text)
    if known is not None and known >= least:
        return known
    if not (text.isascii() and text.isdigit() and least <= int(text) <= MAX_INTEGER):
        raise malformed(attribute, f"{text!r} is no integer from {least} to {MAX_INTEGER}")
    return int(text)


def _without_value(reading: _Reading) -> Any:
    if reading.tombstone:
        return None
    if reading.empty is None:
        raise MalformedRecord(f"{reading.name} without data", stage="data", attribute="data")
    return reading.empty


def _culprit(message: str) -> str:
    """The field msgspec complains about, as `data.error.type`; `data` where it names none."""
    match = _CULPRIT.search(message)
    parts = [part for part in (match[2] or match[3], match[1]) if part] if match else []
    return ".".join(("data", *parts))


decode: Final = Decoder().decode
