"""Events as flat rows for analytics: CSV, one JSON object a line, or Parquet; payloads as masking leaves them.

Rows come in the order in which records were read, one batch after the other, and never all at once.
"""

import csv
import importlib
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import IO, Any, Final

import msgspec

from coordination.envelope import Decoder
from coordination.errors import CoordinationError, MalformedRecord
from coordination.event import Event
from coordination.eventlog import StoredRecord
from coordination.instants import rfc3339
from dashboard.manifest import manifest
from dashboard.masking import masked_record
from dashboard.models import Segment
from dashboard.policies import rules
from dashboard.segments import unpack

FORMATS: Final = ("csv", "json", "parquet")
COLUMNS: Final = (
    *("topic", "partition", "offset", "appended_at", "time", "type", "known", "id", "source", "subject", "tenant"),
    *("run_id", "task_id", "parent_task_id", "attempt", "agent_id", "agent_group", "target_group", "causation_id"),
    *("fanout_id", "fanout_index", "sequence", "flags", "masked", "data"),
)
NUMBERS: Final = frozenset({"partition", "offset", "attempt", "fanout_index", "masked"})
GROUP: Final = 20_000
_INSTANT: Final = datetime
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class NoParquet(CoordinationError):
    """Parquet needs a library that is not installed."""

    code = "no_parquet"


def rows(*, run_id: str = "", since: int | None = None, until: int | None = None, types: str = "") -> Iterator[Any]:
    """Events as dictionaries of COLUMNS. `since` and `until` in µs of the event's instant; `types` begins a type."""
    segments = Segment.objects.order_by("id")
    if run_id:
        segments = segments.filter(run_id=run_id)
    if since is not None:
        segments = segments.filter(last_at__gte=since)
    if until is not None:
        segments = segments.filter(first_at__lt=until)
    decoder, masks, framed = Decoder(manifest()), rules(), manifest().mapping.framed
    for dictionary, blob in segments.values_list("dictionary_id", "blob").iterator(chunk_size=100):
        for record in unpack(dictionary, bytes(blob)):
            try:
                event = decoder.decode(record)
            except MalformedRecord:
                continue
            if _within(event, since, until) and event.type.removeprefix("coordination.").startswith(types):
                yield _row(event, *masked_record(record, event.name, masks, framed=framed))


def _within(event: Event, since: int | None, until: int | None) -> bool:
    return (since is None or event.at >= since) and (until is None or event.at < until)


def _row(event: Event, shown: StoredRecord, hidden: int) -> dict[str, Any]:
    return {
        "topic": event.topic,
        "partition": event.partition,
        "offset": event.offset,
        "appended_at": rfc3339(event.at),
        "time": rfc3339(event.time),
        "type": event.type,
        "known": event.known,
        "id": event.id,
        "source": event.source,
        "subject": event.subject,
        "tenant": event.tenant,
        "run_id": event.run_id,
        "task_id": event.task_id,
        "parent_task_id": event.parent_task_id,
        "attempt": event.attempt,
        "agent_id": event.agent_id,
        "agent_group": event.agent_group,
        "target_group": event.target_group,
        "causation_id": event.causation_id,
        "fanout_id": event.fanout_id,
        "fanout_index": event.fanout_index,
        "sequence": event.sequence or "",
        "flags": ",".join(event.flags),
        "masked": hidden,
        "data": (shown.value or b"").decode(errors="replace"),
    }


def as_csv(found: Iterable[dict[str, Any]], columns: Sequence[str] = COLUMNS) -> Iterator[str]:
    """Lines of CSV with a header. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns)
    writer.writeheader()
    for row in found:
        writer.writerow({name: _harmless(value) for name, value in row.items()})
        if buffer.tell() > 60_000:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def as_json(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One JSON object a line; data as they are where they are JSON."""
    for row in found:
        yield msgspec.json.encode({**row, "data": _data(row["data"])}).decode() + "\n"


def _data(text: str) -> Any:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return msgspec.Raw(text.encode())


def write_parquet(found: Iterable[dict[str, Any]], file: IO[bytes]) -> int:
    """Write Parquet with one row group per 20,000 rows; returns how many rows. Raises NoParquet."""
    try:
        arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise NoParquet("Parquet needs the library pyarrow: install the extra `parquet`.") from None
    kinds = {name: arrow.int64() if name in NUMBERS else arrow.string() for name in COLUMNS} | {"known": arrow.bool_()}
    for name in ("appended_at", "time"):
        kinds[name] = arrow.timestamp("us", tz="UTC")
    schema, count = arrow.schema(list(kinds.items())), 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in _groups(found):
            columns = {name: [_typed(name, row[name]) for row in group] for name in COLUMNS}
            writer.write_table(arrow.table(columns, schema=schema))
            count += len(group)
    return count


def _typed(name: str, value: Any) -> Any:
    return msgspec.convert(value, _INSTANT, strict=False) if name in ("appended_at", "time") else value


def _groups(found: Iterable[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    left = iter(found)
    while group := list(islice(left, GROUP)):
        yield group
