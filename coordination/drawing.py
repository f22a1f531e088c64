"""One picture at a given folding: its nodes in first-seen order and the edges between them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from coordination.fanouts import FanOut
from coordination.refolding import worst
from coordination.runs import MAX_FANOUTS, Sample
from coordination.scene import SURFACED, Edge, Fold, Node, Scene, first_seen
from coordination.tasks import Task


class Drawing:
    """Nodes and edges of one picture, the folds in `single` drawn as their members, those in `opened` as open."""

    def __init__(self, scene: Scene, single: Collection[str], opened: Collection[str]) -> None:
        self._scene = scene
        self._folds = sorted(scene.folds, key=first_seen)
        self._single = set(single)
        self._opened = opened
        self._node_of = {task.task_id: f"task:{task.task_id}" for key in single for task in scene.members.get(key, ())}
        self._keys = {fold.fold_key for fold in self._folds}
        self._joins = _joins(self._folds, scene.fan_outs)
        self._join_of = {key: name for name, (keys, _) in self._joins.items() for key in keys}
        self._behind = self._openers()
        self._nodes = self._all_nodes()
        self._edges = self._all_edges()

    def size(self) -> int:
        """Drawn elements: nodes, surfaced members, edges."""
        surfaced = sum(len(node.tasks) for node in self._nodes if node.kind == "fold")
        return len(self._nodes) + surfaced + len(self._edges)

    def nodes(self) -> tuple[Node, ...]:
        """Folds and tasks in first-seen order, each join behind the last of its branches."""
        return self._nodes

    def home(self, fold: Fold) -> str:
        """The key of the fold that a fold of the run is drawn in: its own, or the one it was folded into."""
        if fold.fold_key in self._keys or fold.sample is None:
            return fold.fold_key
        return self._scene.fold_of.get(fold.sample.task_id, fold.fold_key)

    def _all_nodes(self) -> tuple[Node, ...]:
        found: list[Node] = []
        for fold in self._folds:
            found.extend(self._task_nodes(fold) if fold.fold_key in self._single else [self._fold_node(fold)])
        order = {node.fold_key: place for place, node in enumerate(found)}
        for name, (keys, ids) in self._joins.items():
            place = max((order[key] for key in keys if key in order), default=len(found))
            found.append(self._join_node(name, keys, ids, found[place].first_at if found else 0))
        return tuple(sorted(found, key=lambda node: (node.first_at, node.kind == "join", node.id)))

    def edges(self) -> tuple[Edge, ...]:
        """All edges, sorted."""
        return self._edges

    def _task_nodes(self, fold: Fold) -> list[Node]:
        return [
            Node(
                id=f"task:{task.task_id}",
                kind="task",
                label=task.title or task.task_type or task.task_id,
                agent_group=task.agent_group,
                counts={task.state: 1},
                fold_key=fold.fold_key,
                tasks=(task,),
                inferred=not fold.stamped,
                first_at=task.requested_at or fold.first_at or 0,
            )
            for task in sorted(self._scene.members[fold.fold_key], key=_asked)
        ]

    def _fold_node(self, fold: Fold) -> Node:
        return Node(
            id=f"fold:{fold.fold_key}",
            kind="fold",
            label=fold.task_type or "not requested yet",
            agent_group=fold.agent_group,
            members=fold.total,
            counts=fold.counts,
            fold_key=fold.fold_key,
            tasks=self._surfaced(fold.fold_key),
            inferred=not fold.stamped,
            open=fold.fold_key in self._opened,
            first_at=fold.first_at or 0,
        )

    def _surfaced(self, key: str) -> tuple[Task, ...]:
        scene = self._scene
        return tuple(scene.surfaced.get(key, ())[:SURFACED] or worst(scene.members.get(key, ()), scene.dead))

    def _join_node(self, name: str, keys: Sequence[str], ids: Sequence[str], first_at: int) -> Node:
        rows = [self._scene.fan_outs[one] for one in ids]
        label = rows[0].title if len(rows) == 1 and rows[0].title else "join"
        return Node(
            id=name,
            kind="join",
            label=label if len(rows) == 1 else f"{label}s",
            members=len(rows),
            counts=dict(Counter(row.verdict or "open" for row in rows)),
            fold_key=keys[0],
            fan_out_ids=tuple(ids),
            more=any(len(fold.fanouts) >= MAX_FANOUTS for fold in self._folds if fold.fold_key in keys),
            first_at=first_at,
        )

    def _all_edges(self) -> tuple[Edge, ...]:
        counts: Counter[tuple[str, str]] = Counter()
        inferred: set[tuple[str, str]] = set()
        for fold in self._folds:
            # The members of a stamped fold are alike, so what its sample needs each of them needs.
            times = fold.total if fold.stamped and fold.fold_key not in self._single else 1
            for target, inputs in self._inputs(fold):
                for source in inputs:
                    counts[source, target] += inputs[source] * times
                    if not fold.stamped:
                        inferred.add((source, target))
        for name, (keys, _) in self._joins.items():
            for key in keys:
                for source, members in self._nodes_of(key):
                    counts[self._behind.get(key, source), name] += members
        order = {node.id: place for place, node in enumerate(self._nodes)}
        pairs = _without_cycles(counts, order)
        return tuple(sorted(Edge(*pair, counts[pair], pair in inferred) for pair in pairs))

    def _inputs(self, fold: Fold) -> list[tuple[str, Counter[str]]]:
        """(node, its inputs) for each node of a fold."""
        if fold.fold_key in self._single:
            return [
                (f"task:{task.task_id}", self._sources(fold.fold_key, task))
                for task in self._scene.members[fold.fold_key]
            ]
        if fold.sample is None:
            return []
        return [(f"fold:{fold.fold_key}", self._sources(fold.fold_key, fold.sample))]

    def _sources(self, key: str, follower: Task | Sample) -> Counter[str]:
        """The nodes a task follows: what it depends on, else its parent. Two or more branches of one fan-out are
        followed through their join, and whoever opened a fan-out is followed through its join too, because it ends
        only behind that."""
        weights = self._scene.weights.get(follower.task_id, {})
        per_fold: dict[str, dict[str, int]] = defaultdict(dict)
        for task in follower.depends_on:
            per_fold[self._scene.fold_of.get(task, "")][task] = weights.get(task, 1)
        through: Counter[str] = Counter()
        for source, tasks in per_fold.items():
            through[self._join_behind(source, key)] += sum(tasks.values())
        found: Counter[str] = Counter()
        for source, tasks in per_fold.items():
            join = self._join_behind(source, key)
            if join and through[join] > 1:
                found[join] += sum(tasks.values())
            elif source in self._behind and key != source:
                found[self._behind[source]] += sum(tasks.values())
            else:
                found.update(self._plain(source, tasks))
        # Whoever only coordinates is not drawn as an input of what says itself what it needs.
        parent = follower.parent_task_id
        if parent and not found.keys() - {f"fold:{key}"}:
            found.update(self._plain(self._scene.fold_of.get(parent, ""), {parent: 1}))
        return found

    def _join_behind(self, source: str, key: str) -> str:
        """The join over a fold of branches, as seen from another fold than a branch of the same join."""
        join = self._join_of.get(source, "")
        return "" if join and key in self._joins[join][0] else join

    def _plain(self, key: str, tasks: Mapping[str, int]) -> Counter[str]:
        found: Counter[str] = Counter()
        for task, weight in tasks.items():
            node = self._node_of.get(task, f"fold:{key}" if key in self._keys else "")
            if node:
                found[node] += weight
        return found

    def _nodes_of(self, key: str) -> list[tuple[str, int]]:
        """The nodes of a fold, each with how many tasks it stands for."""
        if key in self._single:
            return [(f"task:{task.task_id}", 1) for task in self._scene.members[key]]
        return [(f"fold:{key}", sum(fold.total for fold in self._folds if fold.fold_key == key))]

    def _openers(self) -> dict[str, str]:
        """Fold key -> the join that its tasks end behind, because they opened its fan-out."""
        found: dict[str, str] = {}
        for name, (keys, ids) in self._joins.items():
            for opener in (self._scene.fan_outs[one].parent_task_id for one in ids):
                key = self._scene.fold_of.get(opener, "")
                if key in self._keys and key not in keys:
                    found.setdefault(key, name)
        return found


def _asked(task: Task) -> tuple[int, str]:
    return task.requested_at or 0, task.task_id


def _joins(folds: Sequence[Fold], fan_outs: Mapping[str, FanOut]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Join node id -> (folds of its branches, fan-out ids): folds that share a fan-out share a join."""
    groups: list[tuple[set[str], set[str]]] = []
    for fold in folds:
        ids = {one for one in fold.fanouts if one in fan_outs}
        if not ids:
            continue
        keys = {fold.fold_key}
        for group in [group for group in groups if group[1] & ids]:
            groups.remove(group)
            keys |= group[0]
            ids |= group[1]
        groups.append((keys, ids))
    order = {fold.fold_key: place for place, fold in enumerate(folds)}
    return {
        f"join:{min(ids)}": (tuple(sorted(keys, key=order.__getitem__)), tuple(sorted(ids))) for keys, ids in groups
    }


def _without_cycles(pairs: Iterable[tuple[str, str]], order: Mapping[str, int]) -> list[tuple[str, str]]:
    """The pairs without self loops and without those that would close a cycle (folding by type makes some).

    Pairs from an earlier to a later node cannot; of the others each is tried.
    """
    known = [(source, target) for source, target in pairs if source in order and target in order and source != target]
    kept = [pair for pair in known if order[pair[0]] < order[pair[1]]]
    ahead: dict[str, set[str]] = defaultdict(set)
    for source, target in kept:
        ahead[source].add(target)
    for source, target in sorted(pair for pair in known if order[pair[0]] > order[pair[1]]):
        if not _reaches(ahead, target, source):
            ahead[source].add(target)
            kept.append((source, target))
    return kept


def _reaches(ahead: Mapping[str, set[str]], start: str, goal: str) -> bool:
    seen, stack = {start}, [start]
    while stack:
        node = stack.pop()
        if node == goal:
            return True
        fresh = ahead.get(node, set()) - seen
        seen |= fresh
        stack.extend(fresh)
    return False
