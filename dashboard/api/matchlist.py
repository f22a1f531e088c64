"""Which boxes of a run's picture hold tasks that a query line asks for: graph and timeline dim the rest."""

from collections import Counter
from collections.abc import Collection
from typing import Any, Final

import msgspec
from django.db.models import Count

from dashboard.api.graphscene import RunScene, scene_of
from dashboard.api.tasklist import CHUNK, Found

DRAWN: Final = "task:"


def match_page(run_id: str, found: Found, opened: Collection[str] = ()) -> dict[str, Any]:
    """`nodes`: id of a drawn box -> how many of its tasks fit; boxes without any are left out. `total` of the run."""
    scene = scene_of(run_id, opened)
    by_fold = _counts(found)
    nodes: Counter[str] = Counter()
    for key, count in by_fold.items():
        nodes[f"fold:{scene.picture.homes.get(key, key)}"] += count
    nodes.update(f"{DRAWN}{task_id}" for task_id in _among(found, _drawn(scene)))
    ids = {node.id for node in scene.picture.nodes} | {f"{DRAWN}{task_id}" for task_id in _drawn(scene)}
    return {
        "total": sum(by_fold.values()),
        "nodes": {name: count for name, count in sorted(nodes.items()) if name in ids},
        "revision": scene.revision,
    }


def _counts(found: Found) -> dict[str, int]:
    """Fold key -> tasks that fit."""
    if not found.condition.tests:
        return dict(found.rows.order_by().values_list("fold_key").annotate(Count("task_id")))
    return dict(Counter(row.fold_key for row in found.all()))


def folds_with(found: Found) -> set[str]:
    """The keys of the folds that hold one of these tasks."""
    return set(_counts(found))


def fan_outs_with(found: Found) -> set[str]:
    """The ids of the fan-outs that one of these tasks is a branch of."""
    branches = msgspec.structs.replace(found, rows=found.rows.exclude(fanout_id=""))
    if not found.condition.tests:
        return set(branches.rows.order_by().values_list("fanout_id", flat=True).distinct())
    return {row.fanout_id for row in branches.all()}


def _drawn(scene: RunScene) -> set[str]:
    return {task.task_id for node in scene.picture.nodes for task in node.tasks}


def _among(found: Found, task_ids: Collection[str]) -> list[str]:
    """Which of these tasks fit."""
    names, fit = sorted(task_ids), []
    for start in range(0, len(names), CHUNK):
        some = found.rows.filter(task_id__in=names[start : start + CHUNK])
        fit += [row.task_id for row in some if found.fits(row)]
    return fit
