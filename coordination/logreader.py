"""Readers and members of our own logs (memory, SQLite): where they stand, when to look again, what to return.

What differs between the two logs is behind `Source`: which partitions changed, and the records of one of them.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from coordination.errors import OffsetOutOfRange, UnknownTopic
from coordination.eventlog import Record, TopicPartition
from coordination.wakeup import Wakeup


class Stand(NamedTuple):
    """A partition as it stands. `identity` differs when the topic was deleted and created anew."""

    identity: int
    begin: int
    stable: int
    high: int


class Mark(NamedTuple):
    """How far changes were seen: those made in this process, and those made by any."""

    version: int
    outside: int


class Fetched(NamedTuple):
    """Records of one partition and the next offset to read, past gaps at the end of what was scanned."""

    records: Sequence[Record]
    position: int


class Source(Protocol):
    """A log as seen by its readers. Any thread may call it."""

    wakeup: Wakeup
    look_every: float
    """Seconds after which a waiting reader looks for changes made by other processes; or infinity."""

    def outside(self) -> int:
        """A number that differs after any process changed the log."""
        ...

    def stands(self, since: int) -> tuple[int, Mapping[TopicPartition, Stand | None]]:
        """Partitions changed after revision `since` (None: deleted), and the revision now. -1 asks for all."""
        ...

    def fetch(self, partition: TopicPartition, stand: Stand, position: int, limit: int, whole: bool) -> Fetched:
        """Up to `limit` stable records from `position` on; if `whole`, none rather than a part of a stored block.

        Raises OffsetOutOfRange if `position` is before the first kept offset by now.
        """
        ...


class LogReader:
    """A Reader over a Source. Partitions take turns, so that a busy one starves no other."""

    def __init__(self, source: Source, positions: Mapping[TopicPartition, int], *, resets: bool = False) -> None:
        """With `resets` (consumer groups), a position out of range, or of a topic that was created anew, goes to
        the beginning of its partition, and a deleted partition is waited for."""
        self._source = source
        self._resets = resets
        self._positions = dict(positions)
        self._turns = list(positions)
        self._revision = -1
        self._stands: dict[TopicPartition, Stand] = {}
        self._closed = False

    async def read(self, max_records: int, timeout: float) -> Sequence[Record]:
        """See `Reader.read`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            seen = self.mark()
            records = self.take(max_records)
            left = deadline - loop.time()
            if records or left <= 0 or self._closed:
                return records
            await self.wait(seen, left)

    def mark(self) -> Mark:
        """Where changes stand; take it before looking for records, and `wait` with it."""
        return Mark(self._source.wakeup.version, self._source.outside())

    async def wait(self, seen: Mark, timeout: float) -> None:
        """Wait until the log may have changed since `seen`, at most `timeout` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        source = self._source
        while (left := deadline - loop.time()) > 0:
            woken = await source.wakeup.wait(seen.version, min(left, source.look_every))
            if woken or source.outside() != seen.outside:
                return

    def take(self, max_records: int, paused: Collection[TopicPartition] = ()) -> list[Record]:
        """What there is now, without waiting; nothing of `paused` partitions."""
        self._look()
        records: list[Record] = []
        if max_records < 1:
            return records
        ready = [p for p in self._turns if p not in paused and self._has_more(p)]
        for partition in ready:
            fetched = self._fetch(partition, max_records - len(records), whole=bool(records))
            if not fetched.records and records and fetched.position == self._positions[partition]:
                break
            self._positions[partition] = fetched.position
            self._turns.remove(partition)
            self._turns.append(partition)
            records.extend(fetched.records)
            if len(records) >= max_records:
                break
        return records

    def positions(self) -> Mapping[TopicPartition, int]:
        """See `Reader.positions`."""
        return dict(self._positions)

    async def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue at `offset`; a partition that was not assigned becomes so."""
        if partition not in self._positions:
            self._turns.append(partition)
        self._positions[partition] = offset
        self._revision = -1

    def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from now on; those read already keep their positions."""
        self._positions = {p: self._positions.get(p, offset) for p, offset in positions.items()}
        kept = [p for p in self._turns if p in positions]
        self._turns = kept + [p for p in positions if p not in kept]
        self._stands = {p: stand for p, stand in self._stands.items() if p in positions}
        self._revision = -1

    async def close(self) -> None:
        """End waiting reads with nothing."""
        self._closed = True
        self._source.wakeup.wake()

    def _look(self) -> None:
        first = self._revision < 0
        self._revision, changes = self._source.stands(self._revision)
        for partition in self._positions if first else self._positions.keys() & changes.keys():
            stand, known = changes.get(partition), self._stands.get(partition)
            if stand is None or (known is not None and known.identity != stand.identity):
                self._restart(partition, known is not None)
            if stand is not None:
                self._stands[partition] = stand
                self._check(partition, stand)

    def _restart(self, partition: TopicPartition, known: bool) -> None:
        if not self._resets:
            self._revision = -1
            why = "was deleted, or deleted and created anew" if known else "does not exist"
            raise UnknownTopic(f"{partition.topic}[{partition.partition}] {why}.")
        self._stands.pop(partition, None)
        self._positions[partition] = 0

    def _has_more(self, partition: TopicPartition) -> bool:
        stand = self._stands.get(partition)
        return stand is not None and self._positions[partition] < stand.stable

    def _check(self, partition: TopicPartition, stand: Stand) -> None:
        position = self._positions[partition]
        if stand.begin <= position <= stand.high:
            return
        if self._resets:
            self._positions[partition] = stand.begin
            return
        self._revision = -1
        raise OffsetOutOfRange(
            f"{partition.topic}[{partition.partition}] has offsets {stand.begin} to {stand.high}, not {position}: "
            "it was truncated or created anew."
        )

    def _fetch(self, partition: TopicPartition, limit: int, whole: bool) -> Fetched:
        position = self._positions[partition]
        try:
            return self._source.fetch(partition, self._stands[partition], position, limit, whole)
        except (OffsetOutOfRange, UnknownTopic):
            self._revision = -1
            if not self._resets:
                raise
            # It was truncated or deleted since it was looked at: look again, and read it at its next turn.
            self._look()
            return Fetched([], self._positions[partition])
