"""What should not have happened: noted on the row it is about, with its place in the log, never folded.

Names: `illegal_transition`, `after_end` (a fact after the first terminal one), `attempt_disagrees`,
`started_again` (a start while an attempt was running), `requested_again`, `decided_again`, `opened_again`,
`sealed_again`, `ended_again`, `wrong_topic`, `no_subject` (nothing says what the record is about).

A row keeps the first of them in log order and counts all: the smallest of a set do not depend on the order
in which its members came.
"""

from typing import Final, Protocol

import msgspec

from coordination.event import Event

KEPT: Final = 20

Mark = tuple[str, int, int]
"""Where a record stands: (topic, partition, offset). The smallest mark wins where only one record can."""


class Anomaly(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Something that should not have happened, and where it stands in the log. `at` is its instant (µs)."""

    topic: str
    partition: int
    offset: int
    name: str
    event: str
    at: int


class Noted(Protocol):
    """A row that keeps anomalies."""

    anomalies: tuple[Anomaly, ...]
    anomaly_count: int


def mark_of(event: Event) -> Mark:
    """Where the event's record stands."""
    return event.topic, event.partition, event.offset


def note(row: Noted, event: Event, name: str) -> None:
    """Keep an anomaly on the row."""
    note_at(row, mark_of(event), name, event.name, event.at)


def note_at(row: Noted, mark: Mark, name: str, event_name: str, at: int) -> None:
    """Keep an anomaly on the row for a record that was read before."""
    row.anomaly_count += 1
    kept = sorted((*row.anomalies, Anomaly(*mark, name, event_name, at)))
    row.anomalies = tuple(kept[:KEPT])
