"""Our own events in a file: one CloudEvent in structured mode per line, as an export or another system writes it.

Ids and times stay as they are, so that importing what is already on the log gives duplicates. Under another run id
the same file is another run: ids and causes are then made anew, each from the old one.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from coordination.attributes import PREFIX
from coordination.errors import MalformedRecord
from coordination.eventlog import NewRecord
from coordination.events import TYPE_PREFIX
from coordination.httpbinding import to_record
from coordination.ids import imported_id
from coordination.importers.recording import DEFAULT_TENANT, BadRecording, Recording
from coordination.manifest import Manifest
from coordination.structured import MEDIA_TYPE, Pairs, unfold

ORIGIN: Final = "ndjson"
RUN: Final = f"{PREFIX}correlationid"
# Attributes that hold the id of an event, of this run by what was said above.
EVENT_IDS: Final = (f"{PREFIX}id", f"{PREFIX}causationid")
TENANT: Final = f"{PREFIX}tenant"
TIME_BASIS: Final = f"{PREFIX}timebasis"


class Move(NamedTuple):
    """The run and the tenant that events come under; an empty run id leaves them in their own."""

    run_id: str
    tenant: str


def looks_like(content: Any) -> bool:
    """Whether the first line, parsed, is a CloudEvent in structured mode."""
    return isinstance(content, Mapping) and "specversion" in content and "type" in content


def read(
    content: bytes, *, run_id: str = "", manifest: Manifest | None = None, tenant: str = DEFAULT_TENANT
) -> Recording:
    """The recording of a file of events. Raises BadRecording naming the line."""
    topics = manifest or Manifest()
    lines = [(number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
    if not lines:
        raise BadRecording("This file has no events.")
    events = [_event(number, line) for number, line in lines]
    found = run_id or next((dict(pairs)[RUN].decode() for _, pairs, _ in events if RUN in dict(pairs)), "")
    if not found:
        raise BadRecording("None of these events names a run (correlationid): give one with --run-id.")
    records = [_record(number, pairs, value, Move(run_id, tenant), topics) for number, pairs, value in events]
    return Recording(found, ORIGIN, len(events), records, _unknown(events))


def _event(number: int, line: bytes) -> tuple[int, Pairs, bytes | None]:
    try:
        return number, *unfold(line, MEDIA_TYPE)
    except MalformedRecord as error:
        raise BadRecording(f"Line {number}: {error}") from None


def _record(number: int, pairs: Pairs, value: bytes | None, move: Move, manifest: Manifest) -> NewRecord:
    try:
        return to_record(list(_moved(pairs, move)), value, manifest)
    except MalformedRecord as error:
        raise BadRecording(f"Line {number}: {error}") from None


def _moved(pairs: Pairs, move: Move) -> Iterator[tuple[str, bytes]]:
    """The attributes, under another run id where one is given."""
    given = dict(pairs)
    run = move.run_id.encode() if move.run_id else given.get(RUN, b"")
    anew = bool(move.run_id) and given.get(RUN) != run
    for name, value in pairs:
        if name == RUN or (name == f"{PREFIX}partitionkey" and value == given.get(RUN)):
            yield name, run
        elif anew and name in EVENT_IDS:
            yield name, imported_id(ORIGIN, move.run_id, value.decode(), "").encode()
        elif anew and name == f"{PREFIX}subject" and value == b"run/" + given.get(RUN, b""):
            yield name, b"run/" + run
        else:
            yield name, value
    if RUN not in given and run:
        yield RUN, run
    if TENANT not in given:
        yield TENANT, move.tenant.encode()
    if TIME_BASIS not in given:
        yield TIME_BASIS, b"recorded"


def _unknown(events: list[tuple[int, Pairs, bytes | None]]) -> dict[str, int]:
    from_types = [dict(pairs).get(f"{PREFIX}type", b"").decode() for _, pairs, _ in events]
    return {kind: from_types.count(kind) for kind in set(from_types) if not kind.startswith(TYPE_PREFIX)}


def first_line(content: bytes) -> Any:
    """The first line that is not empty, parsed; None if it is no JSON."""
    line = next((line for line in content.splitlines() if line.strip()), b"")
    try:
        return msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return None
