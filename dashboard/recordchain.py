"""The chain over stored records, computed again from what is stored: does it lead to the heads in the trail?

Records are read batch by batch, in which each partition's offsets grow. What was kept aside (rejected records, dead
letters, repeats) and what is left of pruned ones is merged in by offset. Where a head that was entered in the trail
is not reached, something between it and the head before it was changed, removed or added.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from django.db import connection, transaction
from zstandard import ZstdError

from coordination.recordchain import GENESIS, next_head, record_digest
from dashboard.anchoring import ACT, Chain, chain_of
from dashboard.models import Audit, DeadLetter, Duplicate, Position, PrunedRecords, Rejected, Segment
from dashboard.segments import SEGMENTS_A_BATCH, unpack, unpack_one

Digests = list[tuple[int, bytes]]
ASIDE: Final = (DeadLetter, Rejected, Duplicate)


class BrokenRecords(msgspec.Struct, frozen=True):
    """Stored records of one partition that are not what was read: from `first` up to, not including, `end`."""

    topic: str
    partition: int
    first: int
    end: int
    reason: str

    @property
    def words(self) -> str:
        """The place and the reason in one sentence."""
        return f"{self.topic}-{self.partition}, offsets {self.first} to {self.end - 1}: {self.reason}"


class _Walk:
    """One partition on the way: the head so far, the heads it must pass, what was kept aside and is due."""

    def __init__(self, row: Position, heads: list[tuple[int, str, int]], aside: Digests) -> None:
        self.row, self.head, self.passed = row, GENESIS, row.chain_offset
        self._heads = deque(sorted(heads))
        self._aside = deque(sorted(aside))
        self.last = row.chain_offset - 1
        self.broken: BrokenRecords | None = None

    def take(self, digests: Digests) -> None:
        """Records of one batch, merged with what was kept aside before the last of them."""
        merged = list(digests)
        while merged and self._aside and self._aside[0][0] < digests[-1][0]:
            merged.append(self._aside.popleft())
        for offset, digest in sorted(merged):
            self._step(offset, digest)

    def finish(self) -> BrokenRecords | None:
        """Everything was taken: what is left aside, then the head the position names."""
        while self._aside:
            self._step(*self._aside.popleft())
        self._check(self.row.next_offset)
        if self.broken is None and self.head.hex() != self.row.head:
            self._break(self.row.next_offset, "they do not lead to the head that ingest keeps")
        return self.broken

    def _step(self, offset: int, digest: bytes) -> None:
        if offset <= self.last:
            self._break(offset + 1, f"offset {offset} is stored twice or out of order")
        if offset < self.row.next_offset:
            self._check(offset)
            self.head = next_head(self.head, digest)
        self.last = max(self.last, offset)

    def _check(self, offset: int) -> None:
        """The heads of all positions up to this offset: they are over the records before it."""
        while self._heads and self._heads[0][0] <= offset:
            end, head, entry = self._heads.popleft()
            if self.head.hex() != head:
                self._break(end, f"they do not lead to the head in entry {entry} of the audit trail")
            self.passed = end

    def _break(self, end: int, reason: str) -> None:
        if self.broken is None:
            self.broken = BrokenRecords(self.row.topic, self.row.partition, self.passed, end, reason)


def verify_records() -> Iterator[BrokenRecords]:
    """The first broken stretch of each partition whose stored records are not what was read; none if all are."""
    with transaction.atomic():
        if connection.vendor == "postgresql" and len(connection.savepoint_ids) == 0:
            with connection.cursor() as cursor:
                # Packing moves records between batches meanwhile; this looks at one state of the tables.
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield from _verify()


def _verify() -> Iterator[BrokenRecords]:
    rows = {(row.topic, row.partition): row for row in Position.objects.exclude(head="")}
    heads = _anchored()
    yield from _unaccounted(rows, heads)
    aside = _aside(rows)
    walks = {place: _Walk(row, heads.get(chain_of(row), []), aside[place]) for place, row in rows.items()}
    for batch, found in _batches(min((row.chain_batch for row in rows.values()), default=0)):
        if isinstance(found, BrokenRecords):
            yield found
            continue
        for place, digests in found.items():
            walk = walks.get(place)
            if walk is not None and batch > walk.row.chain_batch:
                walk.take([each for each in sorted(digests) if each[0] >= walk.row.chain_offset])
    for walk in walks.values():
        broken = walk.finish()
        if broken is not None:
            yield broken


def _anchored() -> dict[Chain, list[tuple[int, str, int]]]:
    """The heads in the trail by chain: (next offset, head, number of the entry)."""
    found: dict[Chain, list[tuple[int, str, int]]] = defaultdict(list)
    for number, detail in Audit.chain.filter(act=ACT).order_by("number").values_list("number", "detail"):
        for topic, partition, offset, batch, end, head in msgspec.json.decode(detail)["heads"]:
            found[topic, partition, offset, batch].append((end, head, number))
    return found


def _unaccounted(
    rows: Mapping[tuple[str, int], Position], heads: Mapping[Chain, list[tuple[int, str, int]]]
) -> Iterator[BrokenRecords]:
    """Chains in the trail that no position continues, although nobody accepted a gap there since."""
    accepted: dict[str, int] = {}
    for number, detail in Audit.chain.filter(act="gap.accepted").order_by("number").values_list("number", "detail"):
        accepted[msgspec.json.decode(detail)["place"]] = number
    for chain, anchored in heads.items():
        row = rows.get(chain[:2])
        ended = accepted.get(f"{chain[0]}-{chain[1]}", 0) > anchored[-1][2]
        if (row is None or chain_of(row) != chain) and not ended:
            reason = "the chain over them was begun anew, and nobody accepted a gap there"
            yield BrokenRecords(chain[0], chain[1], chain[2], anchored[-1][0], reason)


def _aside(rows: Mapping[tuple[str, int], Position]) -> dict[tuple[str, int], Digests]:
    """The digests of what was kept beside the segments, by partition."""
    found: dict[tuple[str, int], dict[int, bytes]] = defaultdict(dict)
    for model in ASIDE:
        values: Any = model._default_manager.order_by("at")
        for topic, partition, offset, record in values.values_list("topic", "partition", "offset", "record").iterator():
            row = rows.get((topic, partition))
            if row is not None and row.chain_offset <= offset < row.next_offset:
                found[topic, partition][offset] = record_digest(unpack_one(bytes(record)))
    return defaultdict(list, {place: sorted(digests.items()) for place, digests in found.items()})


def _batches(after: int) -> Iterator[tuple[int, dict[tuple[str, int], Digests] | BrokenRecords]]:
    """Batch by batch, the digests of its records by partition; a segment that cannot be read is broken itself."""
    pruned = PrunedRecords.objects.filter(batch_id__gt=after).order_by("batch_id")
    left = deque(pruned.values_list("batch_id", "topic", "partition", "digests"))
    current, digests = 0, _fresh()
    segments = Segment.objects.filter(id__gte=(after + 1) * SEGMENTS_A_BATCH).order_by("id")
    for number, dictionary, blob in segments.values_list("id", "dictionary_id", "blob").iterator(chunk_size=200):
        batch = number // SEGMENTS_A_BATCH
        if batch != current:
            yield from _with_pruned(current, digests, left, batch)
            current, digests = batch, _fresh()
        try:
            for record in unpack(dictionary, bytes(blob)):
                digests[record.topic, record.partition].append((record.offset, record_digest(record)))
        except (ZstdError, msgspec.MsgspecError) as error:
            yield batch, BrokenRecords("segment", number, 0, 1, f"the stored segment cannot be read: {error}")
    yield from _with_pruned(current, digests, left, None)


def _fresh() -> dict[tuple[str, int], Digests]:
    return defaultdict(list)


def _with_pruned(
    batch: int, digests: dict[tuple[str, int], Digests], left: "deque[Any]", before: int | None
) -> Iterator[tuple[int, dict[tuple[str, int], Digests]]]:
    """A batch with what is left of its pruned records, and batches of which nothing else is left."""
    groups: dict[int, dict[tuple[str, int], Digests]] = {batch: digests} if digests else {}
    while left and (before is None or left[0][0] < before):
        number, topic, partition, blob = left.popleft()
        place = groups.setdefault(number, _fresh())[topic, partition]
        place.extend((offset, digest) for offset, digest in msgspec.msgpack.decode(bytes(blob)))
    yield from sorted(groups.items())
