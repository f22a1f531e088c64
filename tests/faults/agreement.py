"""Whether the tables hold what is on the log: every record exactly once, and the rows of one fold over all of it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from coordination.envelope import Decoder
from coordination.errors import MalformedRecord
from coordination.event import Event
from coordination.eventlog import Record
from coordination.manifest import Manifest
from coordination.projection import Rows, fold
from coordination.rows import Layout
from dashboard.ingest.survey import NOT_READ
from dashboard.models import DeadLetter, Duplicate, Gap, Position, Rejected, Run
from tests.dashboard.ingest.picture import MODELS, rows_in_tables, stored_records
from tests.dashboard.ingest.tables import other_database
from tests.installation import Installation

Place = tuple[str, int, int]
PLACE = ("topic", "partition", "offset")


@dataclass
class OnLog:
    """The records of a log, each in exactly one of these."""

    events: dict[Place, Record] = field(default_factory=dict)
    duplicates: set[Place] = field(default_factory=set)
    letters: set[Place] = field(default_factory=set)
    malformed: dict[Place, MalformedRecord] = field(default_factory=dict)
    decoded: list[Event] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.events) + len(self.duplicates) + len(self.letters) + len(self.malformed)


def is_read(topic: str, manifest: Manifest) -> bool:
    """Whether ingest reads a topic: not the summaries and memories that others derive from facts."""
    return not (manifest.family_of(topic) or "").startswith(NOT_READ)


def on_log(records: Iterable[Record], manifest: Manifest) -> OnLog:
    """Sort records, given in offset order within each partition, by what must become of them."""
    found, decoder, seen = OnLog(), Decoder(manifest), set[tuple[str, int, str, str]]()
    for record in records:
        place = (record.topic, record.partition, record.offset)
        if record.topic.startswith("dlq."):
            found.letters.add(place)
            continue
        try:
            event = decoder.decode(record)
        except MalformedRecord as error:
            found.malformed[place] = error
            continue
        identity = (event.topic, event.partition, event.source, event.id)
        if identity in seen:
            found.duplicates.add(place)
            continue
        seen.add(identity)
        found.events[place] = record
        found.decoded.append(event)
    return found


def folded(events: Sequence[Event], manifest: Manifest) -> dict[Any, Any]:
    """The rows of one fold over all these events, by table and key."""
    rows = Rows(Layout(manifest.family_of))
    fold(rows, events)
    kept = (rows.tasks, rows.run_parts, rows.fold_parts, rows.fan_outs, rows.requests, rows.agents)
    found: dict[Any, Any] = {}
    for (table, _), mapping in zip(MODELS, kept, strict=True):
        for row in mapping.values():
            row.revision = 0
            # As tables keep them: a tuple within JSON comes back as a list.
            found[table.name, table.key_of(row)] = msgspec.json.decode(msgspec.json.encode(row), type=type(row))
    return found


@contextmanager
def tables(installation: Installation, blocker: Any) -> Iterator[None]:
    """Inside, the models read the tables of this installation."""
    with blocker.unblock(), other_database(installation.database):
        yield


def agree(installation: Installation, blocker: Any) -> OnLog:
    """Assert that the tables hold what is on the log, but for what ingest does not read; returns that."""
    told = on_log(
        (one for one in installation.records() if is_read(one.topic, installation.manifest)), installation.manifest
    )
    with tables(installation, blocker):
        _agree_on_records(told)
        _agree_on_rows(told, installation.manifest)
    return told


def _agree_on_records(told: OnLog) -> None:
    assert not Gap.objects.exists()
    stored = stored_records()
    kept = {(one.topic, one.partition, one.offset): one for one in stored}
    assert len(kept) == len(stored), "records are stored twice"
    assert kept.keys() - told.events.keys() == set(), "stored, and no events of their own"
    assert told.events.keys() - kept.keys() == set(), "events that are not stored"
    different = [place for place, one in kept.items() if _bytes(one) != _bytes(told.events[place])]
    assert different == []
    for model, expected in ((Duplicate, told.duplicates), (DeadLetter, told.letters), (Rejected, told.malformed)):
        places = list(model.objects.values_list(*PLACE))  # type: ignore[attr-defined]
        assert len(places) == len(set(places)), f"{model.__name__} has places twice"
        assert set(places) == set(expected), model.__name__
    assert not Rejected.objects.filter(stage="fold").exists()
    assert sum(Position.objects.values_list("records", flat=True)) == len(told)


def _agree_on_rows(told: OnLog, manifest: Manifest) -> None:
    expected, found = folded(told.decoded, manifest), rows_in_tables()
    assert found.keys() == expected.keys()
    different = {key: (row, expected[key]) for key, row in found.items() if row != expected[key]}
    assert not different, next(iter(different.items()))
    events_of_runs = sum(1 for event in told.decoded if event.run_id)
    assert sum(Run.objects.values_list("events", flat=True)) == events_of_runs


def _bytes(record: Any) -> tuple[Any, ...]:
    headers = tuple((name, bytes(value)) for name, value in record.headers)
    return record.timestamp, record.key, record.value, headers
