"""A session: from a new producer to the first trouble with it. Trouble ends the session, the next one finds out.

1. Open the producer: it fences every former owner of the shard and ends what that one left open.
2. Read back. Rows that somebody began to send are looked for on the log, from the offset that was noted before their
   first try up to the end as it is now. What is there is marked; "not there" is final, because nobody but us can
   write any more, and is sent like a new row.
3. Send: the rows that are ready go out in order, in one transaction with everything they are made of. Before the
   first byte the place to look for them is committed. After it they are read back, and only then they are published.

A late or double event therefore changes nothing here: a row is sent again only after it was proven missing.
"""

from collections.abc import Sequence
from typing import Final

from coordination.errors import CoordinationError, LogDenied, LogUnreachable, RecordTooLarge, UnknownTopic
from coordination.eventlog import Appended, Ends, EventLog, NewRecord, TopicPartition, Transaction
from dashboard.databasethread import DatabaseThread
from dashboard.relay import outcomes
from dashboard.relay.lease import Lease
from dashboard.relay.limits import Limits, Stage, within
from dashboard.relay.outcomes import Waiting
from dashboard.relay.producer import open_producer
from dashboard.relay.readback import Mark, ReadBack, Stretch, Truncated, mark_of


class Refused(CoordinationError):
    """The log refuses at least one of these rows for good: a missing right or topic, a record that is too large."""

    code = "refused"

    def __init__(self, rows: Sequence[Waiting], reason: CoordinationError) -> None:
        super().__init__(str(reason))
        self.rows, self.reason = rows, reason


class Missing(Refused):
    """The topics of all these rows are missing."""


class Session:
    """One producer of one relay shard. Call `open`, then `send` as often as there may be something, then `close`."""

    def __init__(
        self, log: EventLog, lease: Lease, tables: DatabaseThread, *, limits: Limits, stage: Stage, batch: int
    ) -> None:
        self.sent = 0
        self._log, self._lease, self._tables = log, lease, tables
        self._limits, self._stage, self.batch = limits, stage, batch
        self._producer: Transaction | None = None
        self._mode = ""
        self._read_back = ReadBack(log, limits.reading)
        self._found: dict[Mark, Appended] = {}
        """Records of rows of which only a part was found: only the rest of them is sent."""

    async def open(self) -> None:
        """Take the shard over and find out what became of everything that was under way."""
        opening = open_producer(self._log, self._lease.number)
        self._producer, self._mode = await within(self._limits.opening, "open a producer", opening)
        await self._stage("opened")
        rows = await self._tables.run(outcomes.tried, self._lease.number)
        if rows:
            await self._recover(rows)

    async def close(self) -> None:
        """End producer and reader; neither may keep us."""
        for ending in (self._producer, self._read_back):
            if ending is not None:
                try:
                    await within(self._limits.closing, "close", ending.close())
                except CoordinationError:
                    continue

    async def send(self) -> int:
        """Send the next rows, at most a batch; returns how many were dealt with.

        Raises LogUnreachable (the outcome may be unknown), MemberFenced, LeaseLost, Refused, Truncated: the
        session is over then.
        """
        late = await self._tables.run(outcomes.give_up_late, self._lease, self._lease.number)
        rows = await self._tables.run(outcomes.ready, self._lease.number, self.batch)
        if not rows:
            return late
        await self._stage("chosen")
        rows = await self._begin(rows)
        places = await self._append(rows)
        await self._verify(places)
        await self._mark(rows, places)
        self.sent += len(rows)
        return late + len(rows)

    async def _recover(self, rows: Sequence[Waiting]) -> None:
        stretches = await self._stretches(rows)
        await self._stage("measured")
        marks = [mark_of(record) for row in rows for record in row.records]
        self._found = await self._read_back.find(marks, stretches)
        await self._stage("read back")
        there = [row for row in rows if all(mark_of(record) in self._found for record in row.records)]
        if there:
            await self._publish(there)
        await self._stage("recovered")

    async def _stretches(self, rows: Sequence[Waiting]) -> dict[TopicPartition, Stretch]:
        """From the earliest first try to the ends as they are now. Raises Truncated if that is not all there."""
        starts: dict[TopicPartition, int] = {}
        for row in rows:
            for place, offset in row.tried_from.items():
                topic, _, number = place.rpartition("/")
                at = TopicPartition(topic, int(number))
                starts[at] = min(offset, starts.get(at, offset))
        ends = await self._ends(list(starts))
        for at, start in starts.items():
            if at not in ends or not ends[at].begin <= start <= ends[at].high:
                raise Truncated(_lost(at, start, ends.get(at)))
        return {at: Stretch(start, ends[at].high) for at, start in starts.items()}

    async def _begin(self, rows: Sequence[Waiting]) -> list[Waiting]:
        """Commit from where each row is to be looked for, before its first byte is sent."""
        places = {at: None for row in rows for at in _partitions(row)}
        ends = await self._ends(list(places))
        await self._stage("ended")
        missing = [row for row in rows if any(at not in ends for at in _partitions(row))]
        if missing:
            names = {f"{at.topic}[{at.partition}]" for row in missing for at in _partitions(row) if at not in ends}
            raise Missing(missing, UnknownTopic(f"There is no {', '.join(sorted(names))}."))
        first = {row.decision_id: row.tried_from or _from(row, ends) for row in rows}
        begun = await self._tables.run(outcomes.begin, self._lease, first)
        await self._stage("tried")
        return [row for row in rows if row.decision_id in begun]

    async def _append(self, rows: Sequence[Waiting]) -> dict[Mark, Appended]:
        assert self._producer is not None
        records = [record for row in rows for record in row.records if mark_of(record) not in self._found]
        await self._stage("sending")
        self._lease.check()
        try:
            sending = self._producer.append(records)
            appended = await within(self._limits.sending, "confirm a transaction", sending) if records else []
        except CoordinationError as error:
            raise (Refused(rows, error) if isinstance(error, REFUSALS) else error) from error
        await self._stage("sent")
        return dict(zip(map(mark_of, records), appended, strict=True))

    async def _verify(self, places: dict[Mark, Appended]) -> None:
        """Read back what was confirmed. What is not where it should be is of unknown outcome."""
        stretches: dict[TopicPartition, Stretch] = {}
        for at in places.values():
            key = TopicPartition(at.topic, at.partition)
            known = stretches.get(key, Stretch(at.offset, at.offset + 1))
            stretches[key] = Stretch(min(known.start, at.offset), max(known.end, at.offset + 1))
        there = await self._read_back.find(places, stretches)
        missing = [mark for mark, at in places.items() if there.get(mark, at)[:3] != at[:3] or mark not in there]
        if missing:
            raise LogUnreachable(f"{len(missing)} records are not where the log said they were; looking again.")
        self._found |= there
        await self._stage("verified")

    async def _mark(self, rows: Sequence[Waiting], places: dict[Mark, Appended]) -> None:
        await self._publish(rows)
        for row in rows:
            for record in row.records:
                self._found.pop(mark_of(record), None)
        await self._stage("told")

    async def _publish(self, rows: Sequence[Waiting]) -> None:
        places = {row.decision_id: [self._found[mark_of(record)] for record in row.records] for row in rows}
        await self._tables.run(outcomes.publish, self._lease, places, mode=self._mode)
        await self._stage("marked")

    async def _ends(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, Ends]:
        return await within(self._limits.asking, "tell its ends", self._log.ends(places))


REFUSALS: Final = (LogDenied, UnknownTopic, RecordTooLarge)


def _partitions(row: Waiting) -> list[TopicPartition]:
    return [_place(record) for record in row.records]


def _place(record: NewRecord) -> TopicPartition:
    return TopicPartition(record.topic, record.partition or 0)


def _from(row: Waiting, ends: dict[TopicPartition, Ends]) -> dict[str, int]:
    return {f"{at.topic}/{at.partition}": ends[at].high for at in _partitions(row)}


def _lost(at: TopicPartition, start: int, ends: Ends | None) -> str:
    kept = f"which now holds {ends.begin} to {ends.high}" if ends else "which is gone"
    return (
        f"It cannot be found out whether it was sent: it would stand at or after offset {start} of "
        f"{at.topic}[{at.partition}], {kept}."
    )
