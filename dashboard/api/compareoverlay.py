"""The overlay graph of two runs: the steps of both in one picture, in the shape that the graph of a run has."""

from collections import Counter
from typing import Any, Final

from coordination.comparison import STATUSES, Comparison, Path, Status, Step, StepChange
from coordination.lag import words
from coordination.scene import MAX_ELEMENTS
from dashboard.api.signs import bar

# The sign of each status; the order is that of importance.
SIGNS: Final[dict[Status, str]] = {
    "failed here": "failed",
    "added": "added",
    "removed": "removed",
    "slower": "slow",
    "failed there": "mended",
    "faster": "faster",
    "same": "idle",
}
LABELS: Final = {"failed here": "failed only here", "failed there": "failed only before"}
FAILED: Final = 3
Key = tuple[str, str]


def overlay(found: Comparison) -> dict[str, Any]:
    """Nodes and edges: at most 400 elements; where there are more, steps alike in type and agent are one node."""
    groups = {change.path: (step_label(change.path), "/".join(change.path)) for change in found.steps}
    folded = len(found.steps) + len(found.edges) > MAX_ELEMENTS // 2
    if folded:
        groups = {path: (label, path[-1]) for path, (label, _) in groups.items()}
    nodes: dict[Key, list[StepChange]] = {}
    for change in found.steps:
        nodes.setdefault(groups[change.path], []).append(change)
    kept = dict(list(nodes.items())[: MAX_ELEMENTS // 4])
    edges = _edges(found, groups, kept)
    return {
        "nodes": [_node(key, changes, found) for key, changes in kept.items()],
        "edges": edges[: MAX_ELEMENTS // 2],
        "refolded": folded,
        "left_out": max(0, len(edges) - MAX_ELEMENTS // 2),
        "revision": 0,
    }


def step_label(path: Path) -> str:
    """The name of a step: its task type."""
    return path[-1].rpartition("@")[0]


def _edges(found: Comparison, groups: dict[Path, Key], kept: dict[Key, list[StepChange]]) -> list[dict[str, Any]]:
    ends: dict[tuple[Key, Key], list[tuple[bool, bool]]] = {}
    for (source, target), where in sorted(found.edges.items()):
        if source not in groups or target not in groups:
            continue
        pair = groups[source], groups[target]
        if pair[0] != pair[1] and pair[0] in kept and pair[1] in kept:
            ends.setdefault(pair, []).append(where)
    return [
        {
            "source": f"step:{source[1]}",
            "target": f"step:{target[1]}",
            "count": len(wheres),
            "change": _edge_change(wheres),
        }
        for (source, target), wheres in ends.items()
    ]


def _edge_change(wheres: list[tuple[bool, bool]]) -> str:
    before, after = any(one for one, _ in wheres), any(one for _, one in wheres)
    return "same" if before and after else "added" if after else "removed"


def _node(key: Key, changes: list[StepChange], found: Comparison) -> dict[str, Any]:
    status = min((change.status for change in changes), key=STATUSES.index)
    before, after = [one.before for one in changes if one.before], [one.after for one in changes if one.after]
    shown = after or before
    change = max((one.change for one in changes), key=abs)
    counts = Counter[str]()
    for step in shown:
        counts.update(step.counts)
    tasks_a, tasks_b = sum(step.tasks for step in before), sum(step.tasks for step in after)
    return {
        "id": f"step:{key[1]}",
        "kind": "fold",
        "label": key[0],
        "agent_group": shown[0].agent_group,
        "members": max(tasks_a, tasks_b),
        "counts": dict(counts),
        "bar": bar(counts),
        "fold_key": key[1],
        "fanout_ids": [],
        "surfaced": _failed(changes, found) if status == "failed here" else [],
        "sign": {"sign": SIGNS[status], "label": LABELS.get(status, status)},
        "tally": f"{tasks_a:,}" if tasks_a == tasks_b else f"{tasks_a:,} → {tasks_b:,}",
        "status": status,
        "time": _time(status, change, shown),
        "since": None,
        "inferred": False,
        "open": False,
        "url": None,
    }


def _time(status: Status, change: int, steps: list[Step]) -> str:
    if status in ("added", "removed") or not change:
        return words(max(step.typical for step in steps))
    return f"{'+' if change > 0 else '−'}{words(abs(change))}"


def _failed(changes: list[StepChange], found: Comparison) -> list[dict[str, Any]]:
    paths = {change.path for change in changes}
    failed = [one for one in found.tasks if one.path in paths and one.status == "failed here" and one.after]
    return [
        {
            "task_id": one.after.task_id,
            "label": f"{one.name} {one.after.title}" if one.name != one.after.title else one.name,
            "sign": {"sign": "failed", "label": "failed only here"},
            "note": "",
            "url": None,
        }
        for one in failed[:FAILED]
        if one.after
    ]
