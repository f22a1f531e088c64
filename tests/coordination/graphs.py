"""Runs told as agents would tell them, as scenes of the graph; and what tests ask of a picture."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from coordination.foldkeys import FoldKeys
from coordination.graph import Fold, Picture, Scene, needs
from coordination.projection import Rows, fold
from coordination.refolding import worst
from coordination.runs import merged_counts
from coordination.tasks import Task
from tests.coordination.stories import Story

GROUP = "coder"


class Run:
    """Requests tasks with stamped fold keys, as agents do."""

    def __init__(self, *, stamped: bool = True) -> None:
        self.story, self.keys, self.stamped = Story(), FoldKeys(), stamped

    def ask(
        self, task: str, kind: str, needs: Iterable[str] = (), parent: str = "", fanout: str = "", index: int = 0
    ) -> None:
        needs = tuple(needs)
        key = self.keys.stamp(task, kind, GROUP, [*needs, *([parent] if parent else [])]) if self.stamped else ""
        place: dict[str, Any] = {"fanout_id": fanout, "fanout_index": index} if fanout else {}
        about = {"parent_task_id": parent, "fold_key": key, **place}
        self.story.request(task, group=GROUP, task_type=kind, depends_on=needs, title=task, **about)

    def say(self, name: str, task: str) -> None:
        self.story.say(name, task=task, agent_id="a")

    def open(self, fanout: str, parent: str = "") -> None:
        self.story.say("fanout.opened", task=parent, fanout_id=fanout, data={"join": "all", "title": fanout})

    def scene(self) -> Scene:
        """What the tables would give."""
        rows = Rows()
        fold(rows, self.story.events())
        by_fold: dict[str, list[Task]] = defaultdict(list)
        for task in rows.tasks.values():
            by_fold[task.fold_key].append(task)
        folds = [whole(rows, key) for key in {key for _, key, _ in rows.fold_parts}]
        task_ids, fanout_ids = needs(folds)
        openers = {row.parent_task_id for row in rows.fan_outs.values()}
        wanted = task_ids | openers | {one for task in rows.tasks.values() for one in task.depends_on}
        return Scene(
            folds=folds,
            fold_of={task.task_id: task.fold_key for task in rows.tasks.values() if task.task_id in wanted},
            members={key: tasks for key, tasks in by_fold.items() if len(tasks) <= 6},
            surfaced={key: worst(tasks, ()) for key, tasks in by_fold.items()},
            fan_outs={row.fanout_id: row for row in rows.fan_outs.values() if row.fanout_id in fanout_ids},
        )


def whole(rows: Rows, key: str) -> Fold:
    parts = [part for part in rows.fold_parts.values() if part.fold_key == key]
    return Fold(
        fold_key=key,
        task_type=parts[0].task_type,
        agent_group=parts[0].agent_group,
        counts=merged_counts(part.counts for part in parts),
        total=sum(part.total for part in parts),
        stamped=parts[0].stamped,
        sample=min((part.sample for part in parts if part.sample), default=None),
        first_at=min((part.first_at for part in parts if part.first_at is not None), default=None),
        fanouts=tuple(sorted({one for part in parts for one in part.fanouts})),
    )


def edges(found: Picture) -> set[tuple[str, str, int]]:
    """Edges with folds named by their label."""
    labels = {node.id: node.label if node.kind == "fold" else node.id.partition(":")[2] for node in found.nodes}
    return {(labels[edge.source], labels[edge.target], edge.count) for edge in found.edges}


def size(found: Picture) -> int:
    return len(found.nodes) + len(found.edges) + sum(len(node.tasks) for node in found.nodes if node.kind == "fold")


def fanned(branches: int) -> Run:
    run = Run()
    run.ask("plan", "plan")
    run.open("f", "plan")
    for index in range(branches):
        run.ask(f"b{index:04}", "search", parent="plan", fanout="f", index=index)
    run.ask("write", "write", needs=[f"b{index:04}" for index in range(branches)])
    return run


def acyclic(found: Picture) -> bool:
    incoming = {node.id: 0 for node in found.nodes}
    for edge in found.edges:
        incoming[edge.target] += 1
    ready = [name for name, count in incoming.items() if not count]
    for name in ready:
        for edge in found.edges:
            if edge.source == name:
                incoming[edge.target] -= 1
                if not incoming[edge.target]:
                    ready.append(edge.target)
    return len(ready) == len(incoming)
