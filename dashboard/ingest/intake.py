"""Taking in what was read: sorted, written, told; split where it cannot be written as it is.

A record that cannot be folded or stored is found by halving its batch. It is kept with its reason, and the rest
goes on: one record never stops the others.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import DataError, Error, IntegrityError

from coordination.errors import CoordinationError
from coordination.eventlog import Record, TopicPartition
from coordination.manifest import Manifest
from dashboard.events import identity
from dashboard.ingest.assignment import Assignment
from dashboard.ingest.changes import Changes
from dashboard.ingest.figures import Figures
from dashboard.ingest.heads import heads_after
from dashboard.ingest.mending import mend
from dashboard.ingest.sorting import Rejection, Sorted, Sorter
from dashboard.ingest.store import Advance, Conflict, Store
from dashboard.ingest.working import WorkingSet
from dashboard.ingest.writing import BatchWriter, Reading

log = logging.getLogger(__name__)
# What the database raises for a value, not for itself.
POISON: Final = (DataError, IntegrityError)


def microseconds() -> int:
    """Now."""
    return time.time_ns() // 1000


class Intake:
    """From records to committed rows, for one thread. `changes` collects what is to be told."""

    def __init__(self, manifest: Manifest, store: Store, assignment: Assignment, worker: str, figures: Figures) -> None:
        self._assignment = assignment
        self._store = store
        self._sorter = Sorter(manifest, microseconds)
        self._working = WorkingSet(store, assignment.layout)
        self._writer = BatchWriter(store, self._working, identity, worker, microseconds)
        self._figures = figures
        self.changes = Changes(self._working)

    def prepare(self) -> None:
        """Make this thread's connection ready; again after it was lost."""
        self._writer.prepare()

    def begin_anew(self) -> None:
        """Forget the rows in memory, and go by what is assigned now."""
        self._working.layout = self._assignment.layout
        self._working.forget()

    def mend(self) -> None:
        """Write what the one who read before us may have left unwritten."""
        if not self._store.summaries_inside:
            mend(self._store)

    def sort(self, records: Sequence[Record], batch: Sorted) -> None:
        """Add what was just read to a batch."""
        self._sorter.sort(records, batch)

    def take(self, batch: Sorted) -> None:
        """Write a batch and note what it changed. Raises Fenced, Conflict, LogUnreachable and the like, and what
        the database raises when it is out of reach; then nothing of what is not yet written is in memory."""
        began = time.perf_counter()
        self._writer.rows.owned = self._assignment.owned
        try:
            self._write(batch)
        except BaseException:
            self._working.forget()
            raise
        self._figures.batch(time.perf_counter() - began)

    def skip(self, positions: Mapping[TopicPartition, int]) -> None:
        """Move on over offsets that hold no record: markers of transactions, what compaction removed."""
        held = self._assignment.positions
        advances = [
            Advance(partition, held[partition], offset, 0, None)
            for partition, offset in positions.items()
            if offset > held.get(partition, offset)
        ]
        if advances:
            self._commit(Sorted(), advances, lock=False)

    def _write(self, batch: Sorted) -> None:
        try:
            self._write_whole(batch)
        except Conflict as conflict:
            log.info("Rows are locked before they are read: %s", conflict)
            self._working.forget()
            self._write_whole(batch, lock=True)
        except (CoordinationError, Error) as error:
            if not isinstance(error, POISON):
                raise
            self._write_parts(batch.records(), error)
        except Exception as error:  # a fault of our own in folding; which record it is about is found below
            self._write_parts(batch.records(), error)

    def _write_parts(self, records: Sequence[Record], error: Exception) -> None:
        self._working.forget()
        if len(records) > 1:
            middle = len(records) // 2
            self._write(self._sorter.sort(records[:middle]))
            self._write(self._sorter.sort(records[middle:]))
            return
        record = records[0]
        place = f"{record.topic}-{record.partition}@{record.offset}"
        log.error("%s cannot be folded and is kept as rejected", place, exc_info=error)
        reason = f"{type(error).__name__}: {error}"
        rejection = Rejection(record, "fold", "", reason)
        self._write_whole(Sorted(rejections=[rejection], spans=self._sorter.sort(records).spans))

    def _write_whole(self, batch: Sorted, *, lock: bool = False) -> None:
        held = self._assignment.positions
        heads = heads_after(batch.spans, self._assignment.heads)
        advances = [
            Advance(partition, held[partition], span.last + 1, span.count, span.last_timestamp * 1000, heads[partition])
            for partition, span in batch.spans.items()
        ]
        self._commit(batch, advances, lock=lock)

    def _commit(self, batch: Sorted, advances: Sequence[Advance], *, lock: bool) -> None:
        leases = self._assignment.leases_of(advance.partition for advance in advances)
        written = self._writer.write(Reading(batch, advances, leases), lock=lock)
        self._assignment.positions.update((advance.partition, advance.next_offset) for advance in advances)
        self._assignment.heads.update((advance.partition, advance.head) for advance in advances if advance.head)
        self.changes.note(written)
        self._figures.wrote(sum(advance.records for advance in advances), written)
