"""The graph of a run as JSON: nodes and edges of its picture, each with all that its drawing shows."""

from collections.abc import Collection
from typing import Any, Final

from coordination.graph import Edge, Node
from coordination.lag import words
from coordination.tasks import Task as TaskRow
from dashboard.api.addresses import address, task_address
from dashboard.api.graphjoins import join_facts
from dashboard.api.graphscene import RunScene, scene_of
from dashboard.api.instants import iso
from dashboard.api.signs import bar, sign_of_state, worst

LABELS: Final = {
    "dead": "dead-lettered",
    "failed": "failed",
    "human": "needs human",
    "retrying": "retrying",
    "running": "running",
    "done": "done",
    "waiting": "waiting",
    "unknown": "not seen yet",
    "canceled": "canceled",
}
STAGES: Final = ("~before", "~after")


def graph_page(run_id: str, opened: Collection[str] = ()) -> dict[str, Any]:
    """Nodes and edges of a run; `opened` are keys of folds that show their members as marks."""
    run = scene_of(run_id, opened)
    joins = join_facts(run_id, run.scene.folds, run.scene.fan_outs, run.dead)
    return {
        "nodes": [
            _row(node) | (joins.parts(node) if node.kind == "join" else node_parts(run_id, node, run))
            for node in run.picture.nodes
        ],
        "edges": [_edge(edge) for edge in run.picture.edges],
        "refolded": run.picture.refolded,
        "left_out": run.picture.left_out,
        "revision": run.revision,
    }


def _row(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "kind": node.kind,
        "label": node.label,
        "agent_group": node.agent_group,
        "members": node.members,
        "counts": node.counts,
        "fold_key": node.fold_key,
        "fanout_ids": list(node.fan_out_ids),
        "inferred": node.inferred,
        "open": node.open,
        "bar": [],
        "surfaced": [],
        "time": "",
        "took_ms": None,
        "since": None,
        "url": None,
    }


def node_parts(run_id: str, node: Node, run: RunScene) -> dict[str, Any]:
    """What a task or a fold shows of itself."""
    if node.kind == "task":
        return _task_parts(run_id, node.tasks[0], run.dead)
    return _fold_parts(run_id, node, run)


def _task_parts(run_id: str, task: TaskRow, dead: set[str]) -> dict[str, Any]:
    took = (task.ended_at - task.started_at) if task.ended_at and task.started_at else None
    sign = sign_of_state(task.state, dead=task.task_id in dead)
    return {
        "task_id": task.task_id,
        "sign": sign,
        "bar": [(sign["sign"], 1)],
        "attempt": task.attempt,
        "tally": sign["label"],
        "time": "" if took is None else words(max(0, took)),
        "took_ms": None if took is None else max(0, took // 1000),
        "since": iso(task.started_at or task.requested_at) if task.ended_at is None else None,
        "url": task_address(run_id, task.task_id),
    }


def _fold_parts(run_id: str, node: Node, run: RunScene) -> dict[str, Any]:
    segments = bar(node.counts, dead=run.dead_counts.get(node.fold_key, 0))
    done = sum(count for name, count in segments if name == "done")
    name = worst(segments)
    slow = next((task for task in node.tasks if task.ended_at is None and task.started_at), None)
    return {
        "sign": {"sign": name, "label": LABELS.get(name, name)},
        "bar": segments,
        "tally": f"{done:,} / {node.members:,}",
        "since": iso(slow.started_at) if slow else None,
        "surfaced": [surfaced_row(run_id, task, run.dead) for task in node.tasks],
        "url": address("runs", run_id) + f"?fold={node.fold_key}",
        "folded_by": _folded_by(node),
    }


def _folded_by(node: Node) -> str:
    """In words what the members of a fold have in common, where nobody stamped them as alike."""
    if not node.inferred:
        return ""
    if node.fold_key in STAGES:
        return "counted only"
    return "by agent" if node.fold_key.startswith("~|") else "by type"


def surfaced_row(run_id: str, task: TaskRow, dead: set[str]) -> dict[str, Any]:
    """A member that stands out of its fold: index and title, sign, how often it was tried."""
    sign = sign_of_state(task.state, dead=task.task_id in dead)
    index = f"/{task.fanout_index} " if task.fanout_index is not None else ""
    tries = f"{task.attempt} tries" if task.attempt > 1 else ""
    return {
        "task_id": task.task_id,
        "label": f"{index}{task.title or task.task_id}",
        "sign": sign,
        "note": tries,
        "url": task_address(run_id, task.task_id),
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {"source": edge.source, "target": edge.target, "count": edge.count, "inferred": edge.inferred}
