"""Pruning: ended runs go when the stated policy says so, with their records; only digests of those stay.

What a run is kept for is the longest of what holds for it: completed, failed or canceled, asked a person. Records of
no run (heartbeats, registrations, incidents) go by `ops`, records of tool and model calls of ended runs by `tools`,
before the run itself. Runs that have not ended are never pruned; votes, decisions and the audit trail stay.

The chain over the records of a partition can still be computed afterwards, because their digests stay.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

import msgspec
from django.db import transaction
from django.db.models import Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Length

from coordination.eventlog import StoredRecord
from coordination.recordchain import record_digest
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.models import FanOut, FoldPart, PrunedRecords, Request, Run, RunPart, Segment, Shard, Task
from dashboard.packing import REBUILD
from dashboard.policies import Retention
from dashboard.segments import SEGMENTS_A_BATCH, Packer, unpack

DAY: Final = 86_400_000_000
AT_ONCE: Final = 50
ENDED: Final = ("completed", "failed", "canceled")
CALLS: Final = (b"coordination.tool.", b"coordination.model.")
OF_RUN: Final = (Task, RunPart, FoldPart, FanOut, Request, Run)


class Plan(msgspec.Struct, frozen=True):
    """What pruning would take now: how many of what, of which class, from when to when (µs, when runs ended)."""

    name: str
    days: float | None
    runs: int = 0
    records: int = 0
    size: int = 0
    first: int | None = None
    last: int | None = None


class Busy(Exception):
    """A rebuild is under way: it goes through the stored records by number, so none may go meanwhile."""


def plans(policy: Retention, now: int) -> list[Plan]:
    """What would be pruned, class by class; nothing is changed."""
    found = []
    for name, days in (("completed", policy.runs), ("failed", policy.failed), ("approvals", policy.approvals)):
        due = _due(policy, now).filter(_class(name))
        segments = Segment.objects.filter(run_id__in=due.values("run_id"))
        ends = due.aggregate(first=Min("ended_at"), last=Max("ended_at"))
        found.append(Plan(name, days, due.count(), *_sums(segments), ends["first"], ends["last"]))
    found.append(Plan("tools", policy.tools, 0, *_sums(_segments_with_calls(policy, now))))
    found.append(Plan("ops", policy.ops, 0, *_sums(_segments_of_no_run(policy, now))))
    return found


def prune(policy: Retention, by: str) -> Iterator[tuple[str, int]]:
    """Prune, some runs at once; yields (class, records gone) after each transaction. Raises Busy."""
    now = database_now()
    while ids := list(_due(policy, now).order_by("ended_at").values_list("run_id", flat=True)[:AT_ONCE]):
        yield "runs", _transaction("runs.pruned", by, {"runs": ids}, partial(_prune_runs, ids))
    for batch in _grouped(_segments_of_no_run(policy, now)):
        yield "ops", _transaction("records.pruned", by, {"class": "ops"}, partial(_drop, batch, _any))
    for batch in _grouped(_segments_with_calls(policy, now)):
        yield "tools", _transaction("records.pruned", by, {"class": "tools"}, partial(_drop, batch, _is_call))


def _due(policy: Retention, now: int) -> QuerySet[Run]:
    """Ended runs that nothing keeps any more."""
    found = Run.objects.filter(state__in=ENDED, ended_at__isnull=False)
    for name, days in (("completed", policy.runs), ("failed", policy.failed), ("approvals", policy.approvals)):
        kept = Q() if days is None else Q(ended_at__gt=now - int(days * DAY))
        found = found.exclude(_class(name) & kept)
    return found


def _class(name: str) -> Q:
    """Runs of one class; one in which a person was asked is in a second one too."""
    match name:
        case "approvals":
            return Q(run_id__in=Request.objects.values("run_id"))
        case "failed":
            return Q(state__in=("failed", "canceled"))
    return Q(state="completed")


def _segments_of_no_run(policy: Retention, now: int) -> QuerySet[Segment]:
    if policy.ops is None:
        return Segment.objects.none()
    return Segment.objects.filter(run_id="", last_at__lt=now - int(policy.ops * DAY))


def _segments_with_calls(policy: Retention, now: int) -> QuerySet[Segment]:
    if policy.tools is None:
        return Segment.objects.none()
    ended = Run.objects.filter(state__in=ENDED, ended_at__lt=now - int(policy.tools * DAY))
    return Segment.objects.filter(run_id__in=ended.values("run_id"), last_at__lt=now - int(policy.tools * DAY))


def _sums(segments: QuerySet[Segment]) -> tuple[int, int]:
    found = segments.aggregate(records=Sum("records"), size=Sum(Length("blob")))
    return found["records"] or 0, found["size"] or 0


def _grouped(segments: QuerySet[Segment]) -> Iterator[list[int]]:
    """Ids of segments, some hundred at once, each once."""
    after = -1
    while ids := list(segments.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:200]):
        after = ids[-1]
        yield ids


def _transaction(act: str, by: str, detail: dict[str, Any], doing: Callable[[], int]) -> int:
    """Do it under the lock that keeps a rebuild and packing away, and enter it in the trail."""
    Shard.objects.get_or_create(shard=REBUILD, defaults={"role": REBUILD})
    with transaction.atomic():
        rebuild = Shard.objects.select_for_update().get(shard=REBUILD)
        if rebuild.owner and rebuild.lease_until > database_now():
            raise Busy
        gone = doing()
        if gone or "runs" in detail:
            enter(by, act, "retention", detail | {"records": gone})
    return gone


def _prune_runs(ids: list[str]) -> int:
    gone = _drop(list(Segment.objects.filter(run_id__in=ids).values_list("pk", flat=True)), _any)
    for model in OF_RUN:
        model._default_manager.filter(run_id__in=ids).delete()
    return gone


def _drop(ids: list[int], unwanted: Callable[[StoredRecord], bool]) -> int:
    """Take records out of these segments; their digests stay. Returns how many went."""
    packer, gone = Packer(), 0
    for segment in Segment.objects.filter(pk__in=ids).order_by("pk"):
        records = unpack(segment.dictionary_id, bytes(segment.blob))
        kept = [record for record in records if not unwanted(record)]
        if len(kept) == len(records):
            continue
        _keep_digests(segment.pk // SEGMENTS_A_BATCH, (record for record in records if unwanted(record)))
        gone += len(records) - len(kept)
        if not kept:
            segment.delete()
            continue
        packer.keep_dictionary()
        segment.records, segment.blob = len(kept), packer.pack(kept)
        segment.dictionary_id = packer.dictionary_id
        segment.save(update_fields=["records", "blob", "dictionary_id"])
    return gone


def _keep_digests(batch: int, records: Iterable[StoredRecord]) -> None:
    found: dict[tuple[str, int], list[tuple[int, bytes]]] = defaultdict(list)
    for record in records:
        found[record.topic, record.partition].append((record.offset, record_digest(record)))
    PrunedRecords.objects.bulk_create(
        PrunedRecords(topic=topic, partition=partition, batch_id=batch, digests=msgspec.msgpack.encode(digests))
        for (topic, partition), digests in sorted(found.items())
    )


def _any(record: StoredRecord) -> bool:
    return True


def _is_call(record: StoredRecord) -> bool:
    return any(name.lower() == "ce_type" and value.startswith(CALLS) for name, value in record.headers)
