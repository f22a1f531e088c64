"""The graph of a run as JSON: what `coordination.graph` needs out of the tables, and what the page draws.

A bounded number of queries, however many tasks a run has: folds, the folds of the tasks that samples name, the
members of small folds, five surfaced members each of the larger ones, the fan-outs that samples belong to.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from coordination.fanouts import FanOut as FanOutRow
from coordination.graph import MAX_FOLDS, SINGLE, SURFACED, Edge, Fold, Node, Scene, needs, picture
from coordination.lag import words
from coordination.tasks import Task as TaskRow
from dashboard.api.addresses import address, task_address
from dashboard.api.foldlist import Fold as FoldSum
from dashboard.api.foldlist import folds_of
from dashboard.api.instants import iso
from dashboard.api.joinlist import join_rows
from dashboard.api.signs import Sign, bar, sign_of_state, worst
from dashboard.api.taskbody import DECODER
from dashboard.api.tasklist import dead_among
from dashboard.models import FanOut, Task

CHUNK: Final = 500
FANOUTS: Final = 200
# What is worth standing out of a fold, worst first.
SURFACING: Final = (
    ("failed", "rejected", "expired"),
    ("input_required", "auth_required"),
    ("retry_wait",),
    ("working",),
)
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
JOIN_SIGNS: Final = {"satisfied": "done", "failed": "failed", "expired": "failed"}
_fan_out = msgspec.json.Decoder(FanOutRow)


def graph_page(run_id: str) -> dict[str, Any]:
    """Nodes and edges of a run."""
    sums = folds_of(run_id)
    folds = [_fold(each) for each in sums]
    task_ids, fanout_ids = needs(folds)
    rows = FanOut.objects.filter(run_id=run_id, fanout_id__in=sorted(fanout_ids)[:FANOUTS])
    fan_outs = {row.fanout_id: _fan_out.decode(row.body) for row in rows}
    openers = {row.parent_task_id for row in fan_outs.values() if row.parent_task_id}
    small = [fold.fold_key for fold in folds if fold.total <= SINGLE] if len(folds) <= MAX_FOLDS else []
    members = _members(run_id, small)
    task_ids |= {
        name for tasks in members.values() for task in tasks for name in (*task.depends_on, task.parent_task_id)
    }
    surfaced, dead = _surfaced(run_id, [fold for fold in folds if fold.fold_key not in members])
    scene = Scene(
        folds=folds,
        fold_of=_fold_of(run_id, (task_ids | openers) - {""}),
        members=members,
        surfaced=surfaced,
        fan_outs=fan_outs,
    )
    drawn = picture(scene)
    dead |= dead_among(list(Task.objects.filter(run_id=run_id, fold_key__in=small, state__in=SURFACING[0])))
    joins = {row["fanout_id"]: row for row in join_rows(run_id, list(fan_outs.values()))}
    return {
        "nodes": [_node(run_id, node, dead, joins) for node in drawn.nodes],
        "edges": [_edge(edge) for edge in drawn.edges],
        "refolded": drawn.refolded,
        "revision": sum(each.revision for each in sums),
    }


def _fold(each: FoldSum) -> Fold:
    return Fold(
        fold_key=each.fold_key,
        task_type=each.task_type,
        agent_group=each.agent_group,
        counts=each.counts,
        total=each.total,
        stamped=each.stamped,
        sample=each.sample,
        first_at=each.first_at,
        fanouts=each.fanouts,
    )


def _fold_of(run_id: str, task_ids: Iterable[str]) -> dict[str, str]:
    """Task id -> fold key of these tasks, in chunks that every database takes."""
    names = sorted(task_ids)
    found: dict[str, str] = {}
    for start in range(0, len(names), CHUNK):
        some = Task.objects.filter(run_id=run_id, task_id__in=names[start : start + CHUNK])
        found.update(some.values_list("task_id", "fold_key"))
    return found


def _members(run_id: str, keys: Sequence[str]) -> dict[str, list[TaskRow]]:
    found: dict[str, list[TaskRow]] = defaultdict(list)
    rows = Task.objects.filter(run_id=run_id, fold_key__in=keys).order_by("requested_at", "task_id")
    for key, body in rows.values_list("fold_key", "body"):
        found[key].append(DECODER.decode(body))
    return found


def _surfaced(run_id: str, folds: Sequence[Fold]) -> tuple[dict[str, list[TaskRow]], set[str]]:
    """Up to SURFACED members of each fold, worst first and slowest first, and which of them are dead letters."""
    found: dict[str, list[TaskRow]] = defaultdict(list)
    rows: list[Task] = []
    for states in SURFACING:
        keys = [
            fold.fold_key
            for fold in folds
            if len(found[fold.fold_key]) < SURFACED and any(fold.counts.get(state) for state in states)
        ]
        if not keys:
            continue
        order = Window(RowNumber(), partition_by=F("fold_key"), order_by=[F("started_at").asc(), F("task_id").asc()])
        some = Task.objects.filter(run_id=run_id, fold_key__in=keys, state__in=states).annotate(place=order)
        for row in some.filter(place__lte=SURFACED).order_by("fold_key", "place"):
            if len(found[row.fold_key]) < SURFACED:
                found[row.fold_key].append(DECODER.decode(row.body))
                rows.append(row)
    return found, dead_among(rows)


def _node(run_id: str, node: Node, dead: set[str], joins: dict[str, dict[str, Any]]) -> dict[str, Any]:
    row = {
        "id": node.id,
        "kind": node.kind,
        "label": node.label,
        "agent_group": node.agent_group,
        "members": node.members,
        "counts": node.counts,
        "fold_key": node.fold_key,
        "inferred": node.inferred,
        "surfaced": [],
    }
    if node.kind == "join":
        return row | _join_parts(node, joins)
    task = node.tasks[0] if node.kind == "task" else None
    if task is not None:
        return row | _task_parts(run_id, task, dead)
    return row | _fold_parts(run_id, node, dead)


def _task_parts(run_id: str, task: TaskRow, dead: set[str]) -> dict[str, Any]:
    took = (task.ended_at - task.started_at) if task.ended_at and task.started_at else None
    sign = sign_of_state(task.state, dead=task.task_id in dead)
    return {
        "task_id": task.task_id,
        "sign": sign,
        "bar": [(sign["sign"], 1)],
        "tally": sign["label"],
        "time": "" if took is None else words(max(0, took)),
        "took_ms": None if took is None else max(0, took // 1000),
        "since": iso(task.started_at or task.requested_at) if task.ended_at is None else None,
        "url": task_address(run_id, task.task_id),
    }


def _fold_parts(run_id: str, node: Node, dead: set[str]) -> dict[str, Any]:
    dead_here = sum(1 for task in node.tasks if task.task_id in dead)
    segments = bar(node.counts, dead=dead_here)
    done = sum(count for name, count in segments if name == "done")
    name = worst(segments)
    slow = next((task for task in node.tasks if task.ended_at is None and task.started_at), None)
    return {
        "sign": {"sign": name, "label": LABELS.get(name, name)},
        "bar": segments,
        "tally": f"{done:,} / {node.members:,}",
        "took_ms": None,
        "since": iso(slow.started_at) if slow else None,
        "surfaced": [_surfaced_row(run_id, task, dead) for task in node.tasks],
        "url": address("runs", run_id) + f"?fold={node.fold_key}",
    }


def _surfaced_row(run_id: str, task: TaskRow, dead: set[str]) -> dict[str, Any]:
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


def _join_parts(node: Node, joins: dict[str, dict[str, Any]]) -> dict[str, Any]:
    rows = [joins[one] for one in node.fan_out_ids if one in joins]
    signs: set[Sign | str] = {JOIN_SIGNS.get(verdict, "waiting") for verdict in node.counts}
    name = "failed" if "failed" in signs else "waiting" if "waiting" in signs else "done"
    one = rows[0] if len(rows) == 1 else None
    done = node.counts.get("satisfied", 0)
    return {
        "fanout_ids": list(node.fan_out_ids),
        "sign": {"sign": name, "label": one["verdict"] if one else LABELS.get(name, name)},
        "bar": [],
        "tally": one["tally"] if one else f"{done} / {node.members}",
        "rule": one["rule"] if one else "",
        "time": "met" if name == "done" else "",
        "ports": one["ports"] if one else [],
        "took_ms": None,
        "since": None,
        "url": None,
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {"source": edge.source, "target": edge.target, "count": edge.count, "inferred": edge.inferred}
