"""Folds of a run as whole rows: the parts of all shards, summed."""

from collections.abc import Collection, Iterable
from typing import Any, Final

import msgspec

from coordination.runs import FoldPart as PartRow
from coordination.runs import Sample, merged_counts
from dashboard.api.rows import fold_row
from dashboard.models import FoldPart

DECODER: Final = msgspec.json.Decoder(PartRow)


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """A fold over all shards; `revision` is the sum of its parts', so it grows with each of them."""

    fold_key: str
    task_type: str
    agent_group: str
    counts: dict[str, int]
    total: int
    stamped: bool
    sample: Sample | None
    first_at: int | None
    fanouts: tuple[str, ...]
    revision: int


def whole(parts: list[PartRow]) -> Fold:
    """The parts of one fold (at least one) as a whole."""
    counts = merged_counts(part.counts for part in parts)
    sample = min((part.sample for part in parts if part.sample), default=None)
    return Fold(
        fold_key=parts[0].fold_key,
        task_type=sample.task_type if sample else "",
        agent_group=sample.agent_group if sample else "",
        counts=counts,
        total=sum(counts.values()),
        stamped=any(part.stamped for part in parts),
        sample=sample,
        first_at=min((part.first_at for part in parts if part.first_at is not None), default=None),
        fanouts=tuple(sorted({name for part in parts for name in part.fanouts})),
        revision=sum(part.revision for part in parts),
    )


def folds_of(run_id: str) -> list[Fold]:
    """The folds of a run, first seen first; one query, however many tasks there are."""
    found: dict[str, list[PartRow]] = {}
    for part in parts_of(run_id):
        found.setdefault(part.fold_key, []).append(part)
    folds = [whole(parts) for parts in found.values()]
    return sorted((fold for fold in folds if fold.total), key=lambda fold: (fold.first_at or 0, fold.fold_key))


def parts_of(run_id: str) -> Iterable[PartRow]:
    """The parts of all folds of a run."""
    return map(DECODER.decode, FoldPart.objects.filter(run_id=run_id).values_list("body", flat=True))


def fold_page(run_id: str, keys: Collection[str] | None = None) -> dict[str, Any]:
    """The rows of all folds of a run, or of those with these keys."""
    folds = (fold for fold in folds_of(run_id) if keys is None or fold.fold_key in keys)
    return {"items": [fold_row(fold, revision=fold.revision) for fold in folds], "next": None}
