"""Packing: many small batches of stored records become one, as if they had been read at once.

Live, a batch holds a handful of records, and each of its runs a segment of its own: three times the disk of large
batches. Once a stretch of batches is a minute old, its records are put together by run under the number of its last
batch. What a reader sees is the same before and after, and one transaction lies between.
"""

import time
from collections.abc import Sequence
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from coordination.eventlog import StoredRecord
from dashboard.clock import database_now
from dashboard.models import Batch, Segment, Shard, Stretch
from dashboard.segments import SEGMENTS_A_BATCH, Packer, unpack

SECOND: Final = 1_000_000
SETTLED: Final = 60 * SECOND
ENOUGH: Final = 2_000
"""Records of one packed batch: more would hold up ingest for longer, which writes in between."""
SMALL: Final = 500
PAGE: Final = 4_000
REBUILD: Final = "rebuild"


class Gathered(msgspec.Struct):
    """The records of one run in several batches, and what its segments said of them."""

    first_at: int
    last_at: int
    tasks: int = 0
    records: list[StoredRecord] = []


class Packing:
    """Packs what has become old since the last call. For one thread; several processes do not disturb each other."""

    def __init__(self) -> None:
        self._after = 0
        self._packer = Packer()

    def pack(self, *, seconds: float = 1.0, settled: int = SETTLED) -> int:
        """Pack for at most about so many seconds; returns how many batches are gone. `settled` in µs."""
        limit, gone = time.monotonic() + seconds, 0
        for group in self._groups(database_now() - settled):
            if len(group) > 1:
                packed = self._pack(group)
                if packed is None:
                    break
                gone += packed
            self._after = group[-1]
            if time.monotonic() > limit:
                break
        return gone

    def _groups(self, before: int) -> list[list[int]]:
        """Runs of neighbouring small batches with enough records together; the last, unfinished one is left."""
        found = Batch.objects.filter(id__gt=self._after, read_at__lt=before).order_by("id")
        groups: list[list[int]] = [[]]
        records = 0
        for batch, size in found.values_list("id", "records")[:PAGE]:
            if size >= SMALL and groups[-1]:
                groups.append([])
                records = 0
            groups[-1].append(batch)
            records += size
            if records >= ENOUGH or size >= SMALL:
                groups.append([])
                records = 0
        return groups[:-1]

    def _pack(self, batches: Sequence[int]) -> int | None:
        """Pack these; how many batches are gone, None if it must not be done now."""
        last = batches[-1]
        Shard.objects.get_or_create(shard=REBUILD, defaults={"role": REBUILD})
        with transaction.atomic():
            # A rebuild goes through the batches by number, so none may vanish under it; nor may it begin meanwhile.
            rebuild = Shard.objects.select_for_update().get(shard=REBUILD)
            if rebuild.owner and rebuild.lease_until > database_now():
                return None
            rows = Batch.objects.filter(id__in=batches)
            if rows.count() != len(batches):
                return 0  # another process was quicker
            runs = self._gathered(batches)
            if not _merge_stretches(batches, runs):
                return 0
            self._packer.keep_dictionary()
            _segments(batches).delete()
            Segment.objects.bulk_create(self._rows(last, runs))
            size = sum(rows.values_list("records", flat=True))
            rows.exclude(id=last).delete()
            Batch.objects.filter(id=last).update(records=size)
        return len(batches) - 1

    def _gathered(self, batches: Sequence[int]) -> dict[str, Gathered]:
        runs: dict[str, Gathered] = {}
        for row in _segments(batches).order_by("id"):
            one = runs.setdefault(row.run_id, Gathered(row.first_at, row.last_at))
            one.first_at, one.last_at = min(one.first_at, row.first_at), max(one.last_at, row.last_at)
            one.tasks |= row.tasks
            one.records.extend(unpack(row.dictionary_id, bytes(row.blob)))
        return runs

    def _rows(self, batch: int, runs: dict[str, Gathered]) -> list[Segment]:
        return [
            Segment(
                id=batch * SEGMENTS_A_BATCH + number,
                run_id=run_id,
                first_at=one.first_at,
                last_at=one.last_at,
                records=len(one.records),
                tasks=one.tasks,
                dictionary_id=self._packer.dictionary_id,
                blob=self._packer.pack(one.records),
            )
            for number, (run_id, one) in enumerate(runs.items())
        ]


def _segments(batches: Sequence[int]) -> QuerySet[Segment]:
    return Segment.objects.filter(id__gte=batches[0] * SEGMENTS_A_BATCH, id__lt=(batches[-1] + 1) * SEGMENTS_A_BATCH)


def _merge_stretches(batches: Sequence[int], runs: dict[str, Gathered]) -> bool:
    """One stretch for each partition instead of one for each batch; False if others lie in between."""
    ends: dict[tuple[str, int], tuple[int, int]] = {}
    for one in runs.values():
        for record in one.records:
            place = (record.topic, record.partition)
            first, last = ends.get(place, (record.offset, record.offset))
            ends[place] = (min(first, record.offset), max(last, record.offset))
    known, merged = set(batches), []
    for (topic, partition), (first, last) in ends.items():
        of_partition = Stretch.objects.filter(topic=topic, partition=partition, first_offset__lte=last)
        start = of_partition.filter(first_offset__lte=first).order_by("-first_offset").first()
        old = of_partition.filter(first_offset__gte=start.first_offset if start else first)
        found = list(old)
        if not {row.batch_id for row in found} <= known:
            transaction.set_rollback(True)
            return False
        old.delete()
        merged.append(
            Stretch(
                topic=topic,
                partition=partition,
                first_offset=min(row.first_offset for row in found),
                last_offset=max(row.last_offset for row in found),
                batch_id=batches[-1],
            )
        )
    Stretch.objects.bulk_create(merged)
    return True
