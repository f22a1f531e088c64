"""Fold again what is too much to draw: by task type and agent group, by group, by stage.

Signatures do not fold a random graph or a chain of thousands. Then alike tasks are one node whatever they depend
on; and if even that is too much, the stages far from the running front are counted only.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from coordination.runs import merged_counts
from coordination.scene import SURFACED, Edge, Fold, Scene, first_seen
from coordination.tasks import FAILING, HUMAN, TERMINAL, Task

RANKS: Final = {
    **dict.fromkeys(FAILING, 1),
    **dict.fromkeys(HUMAN, 2),
    "retry_wait": 3,
    "working": 4,
}


class Into(NamedTuple):
    """The fold that others are folded into: its key and what it is called."""

    key: str
    label: str
    group: str


def by_type(scene: Scene, opened: Collection[str] = ()) -> Scene:
    """One fold for each (task type, agent group), except those that were opened."""

    def into(fold: Fold) -> Into | None:
        key = f"~{fold.task_type}|{fold.agent_group}"
        return None if key in opened else Into(key, fold.task_type, fold.agent_group)

    return refold(scene, into)


def by_group(scene: Scene) -> Scene:
    """One fold for each agent group."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for fold in scene.folds:
        kinds[fold.agent_group].add(fold.task_type)

    def into(fold: Fold) -> Into:
        count = len(kinds[fold.agent_group])
        label = fold.task_type if count == 1 else f"{count} kinds of task"
        return Into(f"~|{fold.agent_group}", label, fold.agent_group)

    return refold(scene, into)


def by_stage(scene: Scene, kept: int) -> Scene:
    """The `kept` folds around the running front (the first fold with an open task, else the last); what lies
    before and what lies after it are one fold each."""
    order = sorted(scene.folds, key=first_seen)
    front = next((place for place, fold in enumerate(order) if fold.counts.keys() - TERMINAL), len(order) - 1)
    low = max(0, min(front - kept // 2, len(order) - kept))
    before = {fold.fold_key for fold in order[:low]}
    after = {fold.fold_key for fold in order[low + kept :]}

    def into(fold: Fold) -> Into | None:
        if fold.fold_key in before:
            return Into("~before", f"{len(before)} earlier stages", "")
        return Into("~after", f"{len(after)} later stages", "") if fold.fold_key in after else None

    return refold(scene, into)


def refold(scene: Scene, into: Callable[[Fold], Into | None]) -> Scene:
    """The scene with folds folded into others; those that stay alone keep their members."""
    alike: dict[Into, list[Fold]] = defaultdict(list)
    folds = []
    for fold in scene.folds:
        goal = into(fold)
        if goal is None:
            folds.append(fold)
        else:
            alike[goal].append(fold)
    new_key = {fold.fold_key: goal.key for goal, these in alike.items() for fold in these}
    folds += [_merged(goal, these) for goal, these in alike.items()]
    surfaced: dict[str, list[Task]] = defaultdict(list)
    for key, tasks in scene.surfaced.items():
        surfaced[new_key.get(key, key)].extend(tasks)
    for key in scene.members.keys() & new_key.keys():
        surfaced[new_key[key]].extend(scene.members[key])
    return msgspec.structs.replace(
        scene,
        folds=sorted(folds, key=first_seen),
        members={key: tasks for key, tasks in scene.members.items() if key not in new_key},
        surfaced={key: worst(tasks, scene.dead) for key, tasks in surfaced.items()},
        fold_of={task: new_key.get(key, key) for task, key in _all_folds(scene).items()},
    )


def without_implied(edges: Sequence[Edge]) -> tuple[Edge, ...]:
    """The edges without those whose target is reached from their source by a longer way too (the transitive
    reduction); they must form no cycle."""
    ahead: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        ahead[edge.source].add(edge.target)
    known: dict[str, set[str]] = {}

    def reached(node: str) -> set[str]:
        if node not in known:
            known[node] = ahead[node].union(*(reached(following) for following in sorted(ahead[node])))
        return known[node]

    return tuple(
        edge
        for edge in edges
        if not any(edge.target in reached(other) for other in sorted(ahead[edge.source]) if other != edge.target)
    )


def worst(tasks: Iterable[Task], dead: Collection[str]) -> list[Task]:
    """Who stands out of a fold, at most SURFACED: dead-lettered, failed, needs a person, retrying, slowest."""
    by_id = {task.task_id: task for task in tasks if task.state in RANKS}

    def rank(task: Task) -> tuple[int, int, str]:
        lost = task.task_id in dead or task.dead_lettered
        return 0 if lost else RANKS[task.state], task.started_at or task.requested_at or 0, task.task_id

    return sorted(by_id.values(), key=rank)[:SURFACED]


def _all_folds(scene: Scene) -> dict[str, str]:
    # The inputs of every former fold count, not only those of the merged sample.
    samples = {fold.sample.task_id: fold.fold_key for fold in scene.folds if fold.sample}
    return {**scene.fold_of, **samples}


def _merged(goal: Into, folds: Sequence[Fold]) -> Fold:
    samples = [fold.sample for fold in folds if fold.sample]
    depends = {task for sample in samples for task in (*sample.depends_on, sample.parent_task_id) if task}
    first = min(samples, default=None)
    return Fold(
        fold_key=goal.key,
        task_type=goal.label,
        agent_group=goal.group,
        counts=merged_counts(fold.counts for fold in folds),
        total=sum(fold.total for fold in folds),
        stamped=False,
        sample=msgspec.structs.replace(first, depends_on=tuple(sorted(depends)), parent_task_id="") if first else None,
        first_at=min((fold.first_at for fold in folds if fold.first_at is not None), default=None),
        fanouts=tuple(sorted({name for fold in folds for name in fold.fanouts})),
    )
