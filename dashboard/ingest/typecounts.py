"""How many records of each event type and version were read, counted in the transaction that stores them.

The rows of a shard are written by its one owner, so workers never wait for each other's counts.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from django.db import connection

from coordination.event import Event
from coordination.eventlog import Record
from dashboard.ingest.sorting import Rejection

UNREADABLE: Final = "(no type)"
MOST: Final = 128
_MINOR: Final = re.compile(r"([0-9]{1,4}\.[0-9]{1,4})(?:\.[0-9]{1,4})?(?:\.json)?\Z")
_MAJOR: Final = re.compile(r"\.v([0-9]{1,4})\Z")
_SQL: Final = (
    "INSERT INTO dashboard_typecount (type, version, shard, records, rejected, first_at, last_at) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (type, version, shard) DO UPDATE SET "
    "records = dashboard_typecount.records + excluded.records, "
    "rejected = dashboard_typecount.rejected + excluded.rejected, last_at = excluded.last_at"
)
Key = tuple[str, str, str]


def version_of(kind: str, schema: str = "") -> str:
    """The version an event's data have: what its data schema names (`1.2`), else the major its type names (`1`)."""
    stated = _MINOR.search(schema)
    if stated is not None:
        return stated[1]
    broken = _MAJOR.search(kind)
    return broken[1] if broken is not None else "1"


def count(events: Iterable[Event], rejections: Sequence[Rejection], shard: Callable[[str, int], str], now: int) -> None:
    """Add a batch to the counts, inside its transaction. `now` in µs."""
    read: Counter[Key] = Counter()
    for event in events:
        version = version_of(event.type, event.extensions.get("dataschema", ""))
        read[event.type, version, shard(event.topic, event.partition)] += 1
    failed: Counter[Key] = Counter()
    for rejection in rejections:
        kind, schema = _claimed(rejection.record)
        place = shard(rejection.record.topic, rejection.record.partition)
        failed[kind, version_of(kind, schema), place] += 1
    rows = [(*key, read[key], failed[key], now, now) for key in sorted(read.keys() | failed.keys())]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_SQL, rows)


def _claimed(record: Record) -> tuple[str, str]:
    """The type and the data schema that a record which is no event claims to have."""
    found = {name.lower(): value.decode(errors="replace").replace("\0", "") for name, value in record.headers}
    return found.get("ce_type", "")[:MOST] or UNREADABLE, found.get("ce_dataschema", "")
