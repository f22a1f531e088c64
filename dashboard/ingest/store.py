"""What ingest asks of the database: one protocol, written twice, because bulk SQL differs between engines.

All calls but `open` happen inside one transaction per batch, in this order: lock, enter keys, load, save, advance.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from coordination.errors import CoordinationError
from coordination.eventlog import TopicPartition
from dashboard.ingest.tables import Table

Row = TypeVar("Row")


class Conflict(CoordinationError):
    """Somebody else wrote what we hold in memory: throw it away, load anew, try again."""

    code = "row_conflict"
    retryable = True


class SegmentRow(NamedTuple):
    """A row of `Segment`."""

    id: int
    run_id: str
    first_at: int
    last_at: int
    records: int
    tasks: int
    dictionary_id: int
    blob: bytes


class StretchRow(NamedTuple):
    """A row of `Stretch`."""

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    batch_id: int


class Advance(NamedTuple):
    """A position to move from the offset it must have to the next one; `records` read, append time of the last, and
    the head of the chain over all of them (empty: no record was read, it stays as it is)."""

    partition: TopicPartition
    expected: int
    next_offset: int
    records: int
    last_at: int | None
    head: str = ""


class Store(Protocol):
    """The tables of the read model, for one thread and one connection."""

    summaries_inside: bool
    """Whether run summaries are written in the same transaction (nobody else writes) or in their own."""

    def open(self) -> None:
        """Prepare this thread's connection: caches, planner; again after the connection was lost."""
        ...

    def lock(self, leases: Mapping[str, int]) -> set[str]:
        """Lock shards until the end of the transaction; those of `leases` (shard -> epoch) that are still ours."""
        ...

    def new_batch(self, worker: str, read_at: int, records: int) -> int:
        """Enter a batch; its id is higher than that of any batch before."""
        ...

    def enter_keys(self, keys: Sequence[int], offsets: Sequence[int]) -> Mapping[int, int] | None:
        """Add event keys; None if all were new, else {key: offset} of all of them as they now stand."""
        ...

    def load(self, table: Table[Row], keys: Iterable[Any], *, lock: bool = False) -> list[Row]:
        """The rows of these keys that exist; locked in key order if `lock`."""
        ...

    def load_parts(self, run_ids: Sequence[str], besides: Sequence[str] = ()) -> list[Any]:
        """All RunParts of these runs, but those of the shards in `besides`."""
        ...

    def save(self, table: Table[Row], rows: Sequence[Row]) -> None:
        """Write rows whose revision was raised by one since they were loaded. Raises Conflict."""
        ...

    def save_runs(self, runs: Sequence[tuple[Any, ...]]) -> None:
        """Write run summaries (columns as in `dashboard.ingest.summary`) unless a newer one is there."""
        ...

    def forget_folds(self, keys: Sequence[tuple[str, str, str]]) -> None:
        """Delete fold parts that count nothing any more."""
        ...

    def add_segments(self, segments: Sequence[SegmentRow], stretches: Sequence[StretchRow]) -> None:
        """Store the records of a batch."""
        ...

    def advance(self, positions: Sequence[Advance]) -> None:
        """Move positions on. Raises Conflict if one is not where it must be."""
        ...

    def settle(self) -> None:
        """Wait for what was sent and not yet answered. Raises Conflict."""
        ...

    def discard(self) -> None:
        """Something failed: forget what was sent; the transaction is rolled back by whoever began it."""
        ...

    def close(self) -> None:
        """Leave the connection as others would want to find it."""
        ...
