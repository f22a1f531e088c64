"""The published recordings that importers are tried on; they lie beside the repository, not in it."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from coordination.decoding import decode
from coordination.event import Event
from coordination.eventlog import APPEND_TIME, NewRecord, StoredRecord
from coordination.manifest import TOPICS, Manifest
from coordination.partitioner import partition_for
from coordination.projection import Rows, fold

FOLDER = Path(__file__).parents[3] / "shared" / "data"
IMPORTED_AT = 1_800_000_000_000


def recording(name: str) -> bytes:
    """The bytes of a recording, for instance `wfcommons/soykb.json`."""
    path = FOLDER / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: put the published recordings beside the repository")
    return path.read_bytes()


def read_back(records: Iterable[NewRecord]) -> list[Event]:
    """The events of records as a reader of the log finds them, in the order they were appended."""
    manifest, ends = Manifest(), defaultdict(int)
    events = []
    for number, new in enumerate(records):
        declared = manifest.declared(new.topic)
        assert declared is not None
        partition = partition_for(new.key or b"", TOPICS[declared.family].partitions)
        offset = ends[new.topic, partition]
        ends[new.topic, partition] += 1
        events.append(
            decode(
                StoredRecord(
                    new.topic, partition, offset, IMPORTED_AT + number, APPEND_TIME, new.key, new.value, new.headers
                )
            )
        )
    return events


def folded(events: Iterable[Event]) -> Rows:
    """The rows these events fold into."""
    rows = Rows()
    fold(rows, events)
    return rows


def named(events: Iterable[Event], name: str) -> list[Event]:
    """The events of one name."""
    return [event for event in events if event.name == name]
