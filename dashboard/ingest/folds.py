"""Whole folds for those who watch a run: the parts of all shards, summed."""

from collections.abc import Collection
from typing import Any, Final

import msgspec

from coordination.runs import FoldPart as Part
from coordination.runs import Sample, merged_counts
from dashboard.api.rows import fold_row
from dashboard.models import FoldPart

_decode: Final = msgspec.json.Decoder(Part).decode


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """A fold over all shards; `revision` is the sum of its parts'."""

    fold_key: str
    task_type: str
    agent_group: str
    counts: dict[str, int]
    total: int
    stamped: bool
    sample: Sample | None
    first_at: int | None
    revision: int


def merged(parts: list[Part]) -> Fold:
    """The parts of one fold (at least one) as a whole."""
    counts = merged_counts(part.counts for part in parts)
    sample = min((part.sample for part in parts if part.sample), key=lambda one: one.task_id, default=None)
    return Fold(
        fold_key=parts[0].fold_key,
        task_type=sample.task_type if sample else "",
        agent_group=sample.agent_group if sample else "",
        counts=counts,
        total=sum(counts.values()),
        stamped=any(part.stamped for part in parts),
        sample=sample,
        first_at=min((part.first_at for part in parts if part.first_at is not None), default=None),
        revision=sum(part.revision for part in parts),
    )


def fold_rows(run_id: str, keys: Collection[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of these folds of a run, and the keys of those that are no more."""
    found: dict[str, list[Part]] = {}
    for body in FoldPart.objects.filter(run_id=run_id, fold_key__in=keys).values_list("body", flat=True):
        part = _decode(body)
        found.setdefault(part.fold_key, []).append(part)
    folds = [merged(parts) for parts in found.values()]
    return [fold_row(fold, revision=fold.revision) for fold in folds], sorted(set(keys) - found.keys())
