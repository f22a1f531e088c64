"""Records that wait and are no tasks: facts of types that an agent group subscribes to, and intents on other topics
than that of the tasks (decisions, tool calls) that are addressed to it.

Tasks have their rows; these are only in the stored records. Kept here in memory, partition by partition, are offset,
instant, type and addressee of those that anybody waits for; each look reads only what was stored since. A late or
double look changes nothing. What is beyond MOST a partition is not counted, and then nobody knows how many wait.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from coordination.eventlog import StoredRecord, TopicPartition
from dashboard.events import decoded
from dashboard.models import Segment, Stretch
from dashboard.segments import SEGMENTS_A_BATCH, unpack

MOST: Final = 20_000
STRETCHES: Final = 200


class Fact(NamedTuple):
    """One record that somebody acts on; `at` in µs, `target` the group it is addressed to."""

    offset: int
    at: int
    name: str
    target: str


class Waits(NamedTuple):
    """The records of one partition that wait for a group: how many (None: not known), since when (µs), and the offset
    of the first."""

    number: int | None
    oldest_at: int | None
    first_offset: int | None


class FactQueue:
    """The index over all partitions that were asked for. For one thread."""

    def __init__(self) -> None:
        self._facts: dict[TopicPartition, list[Fact]] = {}
        self._begin: dict[TopicPartition, int] = {}
        self._next: dict[TopicPartition, int] = {}
        self._types: frozenset[str] = frozenset()

    def look(self, commits: Mapping[TopicPartition, int], types: Collection[str]) -> None:
        """Take in what was stored since the last look. `commits` are the least positions of all who subscribe."""
        if not self._types.issuperset(types):
            # A type that nobody asked for before was not kept: begin again.
            self._types, self._facts, self._begin, self._next = self._types | set(types), {}, {}, {}
        for where, commit in commits.items():
            if where not in self._next or commit < self._begin[where]:
                self._facts[where], self._begin[where], self._next[where] = [], commit, commit
            else:
                self._forget(where, commit)
            self._read(where)

    def _forget(self, where: TopicPartition, commit: int) -> None:
        facts = self._facts[where]
        del facts[: bisect_left(facts, commit, key=lambda fact: fact.offset)]
        self._begin[where] = commit
        self._next[where] = max(self._next[where], commit)

    def _read(self, where: TopicPartition) -> None:
        facts = self._facts[where]
        known = self._next[where]
        for record in stored_from(where, known):
            self._next[where] = max(self._next[where], record.offset + 1)
            if record.offset >= known and len(facts) <= MOST:
                facts.extend(self._wanted([record]))
        facts.sort()

    def _wanted(self, records: Iterable[StoredRecord]) -> Iterable[Fact]:
        for event in decoded(records):
            if event.target_group or event.name in self._types:
                yield Fact(event.offset, event.at, event.name, event.target_group)

    def waits(self, where: TopicPartition, commit: int, group: str, types: Collection[str]) -> Waits:
        """What waits for an agent group that stands at `commit` and subscribes to these types."""
        facts = self._facts.get(where, [])
        first = bisect_left(facts, commit, key=lambda fact: fact.offset)
        mine = [fact for fact in facts[first:] if fact.target == group or (not fact.target and fact.name in types)]
        if not mine:
            return Waits(0, None, None)
        number = len(mine) if len(facts) <= MOST else None
        return Waits(number, min(fact.at for fact in mine), mine[0].offset)


def stored_from(where: TopicPartition, offset: int) -> Iterable[StoredRecord]:
    """The stored records of a partition from an offset on, in no order; of the next STRETCHES batches at most."""
    stretches = Stretch.objects.filter(topic=where.topic, partition=where.partition, last_offset__gte=offset)
    batches = stretches.order_by("first_offset").values_list("batch_id", flat=True)[:STRETCHES]
    for batch in batches:
        first = batch * SEGMENTS_A_BATCH
        segments = Segment.objects.filter(id__gte=first, id__lt=first + SEGMENTS_A_BATCH)
        for dictionary, blob in segments.values_list("dictionary_id", "blob"):
            for record in unpack(dictionary, bytes(blob)):
                if record.offset >= offset and (record.topic, record.partition) == where:
                    yield record
