"""Replay: read any stretch of any log up to a position and fold it with the code that folds it live.

A *position* is (t, topic, partition, offset), t the running maximum of instants in its partition: this orders all
records, breaks no partition's own order, and puts causes before effects as far as clocks allow. The vector of a
position is everything at or before it. Nothing is written, no group is joined, no event is altered.

Records that are no events are kept as `Unread`, with their reason; they do not stop a replay.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from coordination.envelope import Decoder
from coordination.errors import CoordinationError, LogUnreachable, MalformedRecord
from coordination.event import Event
from coordination.eventlog import EventLog, Record, TopicPartition
from coordination.instants import parse, rfc3339
from coordination.projection import Layout, Rows, fold
from coordination.tasks import FAILING

BATCH: Final = 1000
PATIENCE: Final = 1.0
MAX_QUIET: Final = 30


class BadPosition(CoordinationError):
    """A position that cannot be read, or that is not in the stretch; the message says how one is written."""

    code = "bad_position"


class Position(NamedTuple):
    """A place in the order of all records. `at` is t in µs."""

    at: int
    topic: str
    partition: int
    offset: int

    def text(self) -> str:
        """As people write it: topic-partition@offset."""
        return f"{self.topic}-{self.partition}@{self.offset}"


class Placed(NamedTuple):
    """An event and its position."""

    position: Position
    event: Event


class Unread(msgspec.Struct, frozen=True):
    """A record that is no event, and why."""

    topic: str
    partition: int
    offset: int
    stage: str
    reason: str


class Change(msgspec.Struct, frozen=True):
    """What an event did to the shown state of a task, or of the run (`task_id` empty)."""

    task_id: str
    before: str
    after: str


class Step(msgspec.Struct, frozen=True):
    """One event of a replay, and what it changed."""

    position: Position
    event: Event
    changes: tuple[Change, ...]

    @property
    def failures(self) -> int:
        """How many tasks this event made fail."""
        return sum(change.after in FAILING for change in self.changes)


class Replayed(msgspec.Struct, frozen=True):
    """A stretch that was read: its rows, its events in order, and what could not be read."""

    rows: Rows
    placed: tuple[Placed, ...]
    unread: tuple[Unread, ...]

    @property
    def position(self) -> Position | None:
        """The last position, None for an empty stretch."""
        return self.placed[-1].position if self.placed else None

    def vector(self) -> dict[TopicPartition, int]:
        """The next offset of each partition that had an event in the stretch."""
        return {TopicPartition(one.event.topic, one.event.partition): one.event.offset + 1 for one in self.placed}


def read_run(
    records: Iterable[Record],
    run_id: str | None = None,
    to: str | None = None,
    *,
    decoder: Decoder | None = None,
    layout: Layout | None = None,
) -> Replayed:
    """Fold the records of a run (None: all records) up to and including `to`: topic-partition@offset or a time.

    Records may come in any order and from anywhere, also twice. Raises BadPosition.
    """
    events, unread = decoded(records, decoder or Decoder())
    mine = [event for event in events if run_id is None or event.run_id == run_id]
    placed = up_to(in_order(mine), to)
    rows = Rows(layout)
    fold(rows, (one.event for one in placed))
    return Replayed(rows, tuple(placed), tuple(unread))


def decoded(records: Iterable[Record], decoder: Decoder) -> tuple[list[Event], list[Unread]]:
    """The events among records, each position once, and what is none; dead letters are copies, not events."""
    events, unread = {}, {}
    for record in records:
        mark = record.topic, record.partition, record.offset
        try:
            events[mark] = decoder.decode(record)
        except MalformedRecord as error:
            unread[mark] = Unread(*mark, error.stage, str(error))
    return list(events.values()), list(unread.values())


def in_order(events: Iterable[Event]) -> list[Placed]:
    """The events by position. A second delivery of an event in the same partition is left out, as in ingest."""
    partitions: dict[tuple[str, int], list[Event]] = {}
    for event in events:
        partitions.setdefault((event.topic, event.partition), []).append(event)
    placed = [one for queue in partitions.values() for one in _placed(queue)]
    return sorted(placed, key=lambda one: one.position)


def _placed(queue: list[Event]) -> Iterator[Placed]:
    latest, seen = 0, set[tuple[str, str]]()
    for event in sorted(queue, key=lambda event: event.offset):
        latest = max(latest, event.at)
        if (event.source, event.id) not in seen:
            seen.add((event.source, event.id))
            yield Placed(Position(latest, event.topic, event.partition, event.offset), event)


def up_to(placed: list[Placed], to: str | None) -> list[Placed]:
    """Everything at or before a position in words: topic-partition@offset, or an RFC 3339 time."""
    if to is None:
        return placed
    if "@" not in to:
        at = read_time(to)
        return [one for one in placed if one.position.at <= at]
    last = next((index for index, one in enumerate(placed) if one.position.text() == to), None)
    if last is None:
        raise BadPosition(f"{to} is no position of this run; take one of those that its events show.")
    return placed[: last + 1]


def read_time(text: str) -> int:
    """A position that is a time, in µs. Raises BadPosition in words that say how positions are written."""
    try:
        return parse(text)
    except (ValueError, OverflowError):
        raise BadPosition(
            f"{text!r} is no position: write topic-partition@offset or a time like {rfc3339(0)}."
        ) from None


def steps(placed: Iterable[Placed], layout: Layout | None = None) -> Iterator[Step]:
    """Each event with what it changed, folding one by one: for printing a run, and for the scrubber's marks."""
    rows = Rows(layout)
    for position, event in placed:
        before = _states(rows, event)
        fold(rows, (event,))
        after = _states(rows, event)
        changed = tuple(Change(one, before[one], after[one]) for one in after if before[one] != after[one])
        yield Step(position, event, changed)


def _states(rows: Rows, event: Event) -> dict[str, str]:
    states = {}
    if event.task_id:
        task = rows.tasks.get((event.run_id, event.task_id))
        states[event.task_id] = task.state if task else ""
    part = rows.run_parts.get((event.run_id, rows.layout.shard(event.topic, event.partition)))
    states[""] = part.state if part else ""
    return states


async def read_log(
    log: EventLog,
    run_id: str | None,
    to: str | None = None,
    *,
    begin: Mapping[TopicPartition, int] | None = None,
    topics: Iterable[str],
    decoder: Decoder | None = None,
    layout: Layout | None = None,
) -> Replayed:
    """As `read_run`, from a log itself: all partitions of `topics` from `begin` (or their beginning) to their end.

    Raises BadPosition, LogUnreachable, LogDenied, UnknownTopic.
    """
    records = [record async for record in stretch(log, topics, begin or {})]
    return read_run(records, run_id, to, decoder=decoder, layout=layout)


async def stretch(log: EventLog, topics: Iterable[str], begin: Mapping[TopicPartition, int]) -> AsyncIterator[Record]:
    """The records that stand in these topics now, from `begin` on; later ones are not waited for."""
    known = await log.topics()
    partitions = [TopicPartition(name, number) for name in topics for number in range(known[name].partitions)]
    ends = await log.ends(partitions)
    start = {one: max(begin.get(one, 0), ends[one].begin) for one in ends}
    reader = await log.reader({one: at for one, at in start.items() if at < ends[one].stable})
    quiet = 0
    try:
        while any(at < ends[one].stable for one, at in reader.positions().items()):
            records = await reader.read(BATCH, PATIENCE)
            quiet = 0 if records else quiet + 1
            if quiet > MAX_QUIET:
                raise LogUnreachable(f"The log gave no record for {MAX_QUIET} s before its own end; try again.")
            for record in records:
                if record.offset < ends[TopicPartition(record.topic, record.partition)].stable:
                    yield record
    finally:
        await reader.close()
