"""The graph of a run: folds of alike tasks, single tasks where there are few, and joins between them.

A pure function of a few rows, so that every viewer sees the same picture. It is given (`Scene`):

- the folds of the run, summed over shards (one small row per fold, however many tasks are in it);
- for each fold its **sample** member, whose inputs stand for those of all members, because members of one fold
  have the same predecessor folds; and the fold of each task a sample names (`fold_of`: one bounded query);
- the members of small folds (six or fewer tasks), and up to five surfaced members of larger ones;
- the fan-outs that samples belong to.

So a run of 100,000 tasks costs what one of 100 costs, and at most MAX_ELEMENTS nodes and edges come out. Where
folds are more than that, they are folded again by (task type, agent group), and `refolded` says so.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from coordination.fanouts import FanOut
from coordination.joins import JoinProgress
from coordination.runs import Sample, merged_counts
from coordination.tasks import Task

SINGLE: Final = 6
SURFACED: Final = 5
MAX_ELEMENTS: Final = 400
MAX_FOLDS: Final = 100
Kind = Literal["task", "fold", "join"]


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """A fold over all shards. `sample` is None for tasks whose command was not read yet."""

    fold_key: str
    task_type: str
    agent_group: str
    counts: dict[str, int]
    total: int
    stamped: bool = True
    sample: Sample | None = None
    first_at: int | None = None
    fanouts: tuple[str, ...] = ()


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """All that a picture is made of. `members` and `surfaced` map a fold key to tasks; `fold_of` a task id to
    its fold key; `progress` a fan-out id to how its join stands, for those that were asked for."""

    folds: Sequence[Fold]
    fold_of: Mapping[str, str] = {}
    members: Mapping[str, Sequence[Task]] = {}
    surfaced: Mapping[str, Sequence[Task]] = {}
    fan_outs: Mapping[str, FanOut] = {}
    progress: Mapping[str, JoinProgress] = {}


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One drawn node. `members` tasks (or fan-outs, of a join) by shown state in `counts`.

    `fold_key` is that of a fold or of a single task, `tasks` the rows of a single task (one) or of the surfaced
    members of a fold, `fan_out_ids` those of a join. `inferred`: nobody stamped what is folded here.
    """

    id: str
    kind: Kind
    label: str
    agent_group: str = ""
    members: int = 1
    counts: dict[str, int] = {}
    fold_key: str = ""
    tasks: tuple[Task, ...] = ()
    fan_out_ids: tuple[str, ...] = ()
    inferred: bool = False
    first_at: int = 0


class Edge(msgspec.Struct, frozen=True, order=True):
    """An edge: `count` dependencies lie in it; `inferred` where it was read off an unstamped fold."""

    source: str
    target: str
    count: int = 1
    inferred: bool = False


class Picture(msgspec.Struct, frozen=True):
    """Nodes in first-seen order and edges. `refolded` says that folds were folded again by type and group."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    refolded: bool = False


def picture(scene: Scene) -> Picture:
    """The picture of a run."""
    folds = [fold for fold in scene.folds if fold.total]
    refolded = len(folds) > MAX_FOLDS
    if refolded:
        folds, scene = _refold(folds, scene)
    single = {fold.fold_key for fold in folds if _is_single(fold, scene)}
    drawn = _Drawing(scene, folds, single)
    if drawn.size() > MAX_ELEMENTS:
        drawn = _Drawing(scene, folds, set())
    return Picture(drawn.nodes(), drawn.edges(), refolded)


def needs(folds: Iterable[Fold]) -> tuple[set[str], set[str]]:
    """What to load for a picture: (task ids whose fold is asked for, fan-out ids)."""
    tasks, fan_outs = set[str](), set[str]()
    for fold in folds:
        if fold.sample is not None:
            tasks |= {*fold.sample.depends_on, fold.sample.parent_task_id} - {""}
        fan_outs |= set(fold.fanouts)
    return tasks, fan_outs


def _is_single(fold: Fold, scene: Scene) -> bool:
    return fold.total <= SINGLE and len(scene.members.get(fold.fold_key, ())) == fold.total


def _refold(folds: Sequence[Fold], scene: Scene) -> tuple[list[Fold], Scene]:
    """Fold again by (task type, agent group): for runs whose signatures do not fold."""
    alike: dict[tuple[str, str], list[Fold]] = defaultdict(list)
    for fold in folds:
        alike[fold.task_type, fold.agent_group].append(fold)
    if len(alike) > MAX_FOLDS:
        alike = _by_group(alike)
    new_key = {fold.fold_key: f"~{kind}|{group}" for (kind, group), found in alike.items() for fold in found}
    merged = [_merged(f"~{kind}|{group}", kind, group, found) for (kind, group), found in alike.items()]
    surfaced: dict[str, list[Task]] = defaultdict(list)
    for key, tasks in (*scene.surfaced.items(), *scene.members.items()):
        surfaced[new_key.get(key, key)].extend(tasks)
    fold_of = {task: new_key.get(key, key) for task, key in scene.fold_of.items()}
    # The inputs of every former fold count, not only those of the merged sample.
    samples = {fold.sample.task_id: new_key[fold.fold_key] for fold in folds if fold.sample}
    scene = msgspec.structs.replace(scene, members={}, surfaced=surfaced, fold_of=fold_of | samples)
    return sorted(merged, key=_first), scene


def _by_group(alike: Mapping[tuple[str, str], list[Fold]]) -> dict[tuple[str, str], list[Fold]]:
    found: dict[tuple[str, str], list[Fold]] = defaultdict(list)
    for (_, group), folds in alike.items():
        found["", group].extend(folds)
    return found


def _merged(key: str, kind: str, group: str, folds: Sequence[Fold]) -> Fold:
    samples = [fold.sample for fold in folds if fold.sample]
    depends = {task for sample in samples for task in (*sample.depends_on, sample.parent_task_id) if task}
    first = min(samples, default=None)
    return Fold(
        fold_key=key,
        task_type=kind or f"{len({fold.task_type for fold in folds})} kinds of task",
        agent_group=group,
        counts=merged_counts(fold.counts for fold in folds),
        total=sum(fold.total for fold in folds),
        stamped=False,
        sample=msgspec.structs.replace(first, depends_on=tuple(sorted(depends)), parent_task_id="") if first else None,
        first_at=min((fold.first_at for fold in folds if fold.first_at is not None), default=None),
        fanouts=tuple(sorted({name for fold in folds for name in fold.fanouts})),
    )


def _first(fold: Fold) -> tuple[int, str]:
    return fold.first_at if fold.first_at is not None else 1 << 62, fold.fold_key


class _Drawing:
    """Nodes and edges of one picture, the folds in `single` drawn as their members."""

    def __init__(self, scene: Scene, folds: Sequence[Fold], single: set[str]) -> None:
        self._scene = scene
        self._folds = sorted(folds, key=_first)
        self._single = single
        self._node_of = {task.task_id: f"task:{task.task_id}" for key in single for task in scene.members.get(key, ())}
        self._keys = {fold.fold_key for fold in folds}
        self._joins = _joins(self._folds, scene.fan_outs)
        self._join_of = {key: name for name, (keys, _) in self._joins.items() for key in keys}
        self._edges = self._all_edges()

    def size(self) -> int:
        """Drawn elements: nodes, surfaced members, edges."""
        return sum(1 + (len(node.tasks) if node.kind == "fold" else 0) for node in self.nodes()) + len(self._edges)

    def nodes(self) -> tuple[Node, ...]:
        """Folds and tasks in first-seen order, each join behind the last of its branches."""
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
            for task in self._scene.members[fold.fold_key]
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
            tasks=tuple(self._scene.surfaced.get(fold.fold_key, ())[:SURFACED]),
            inferred=not fold.stamped,
            first_at=fold.first_at or 0,
        )

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
            first_at=first_at,
        )

    def _all_edges(self) -> tuple[Edge, ...]:
        counts: Counter[tuple[str, str]] = Counter()
        inferred: set[tuple[str, str]] = set()
        for fold in self._folds:
            for target, inputs in self._inputs(fold):
                for source in inputs:
                    counts[source, target] += inputs[source]
                    if not fold.stamped:
                        inferred.add((source, target))
        for name, (keys, _) in self._joins.items():
            for key in keys:
                for source in self._nodes_of(key):
                    counts[self._behind(key) or source, name] += 1
        pairs = _without_cycles(counts)
        return tuple(sorted(Edge(*pair, counts[pair], pair in inferred) for pair in pairs))

    def _inputs(self, fold: Fold) -> list[tuple[str, Counter[str]]]:
        """(node, its inputs) for each node of a fold."""
        if fold.fold_key in self._single:
            return [
                (f"task:{task.task_id}", self._sources(fold.fold_key, task.depends_on, task.parent_task_id))
                for task in self._scene.members[fold.fold_key]
            ]
        if fold.sample is None:
            return []
        sample = fold.sample
        return [(f"fold:{fold.fold_key}", self._sources(fold.fold_key, sample.depends_on, sample.parent_task_id))]

    def _sources(self, key: str, depends_on: Iterable[str], parent: str) -> Counter[str]:
        """The nodes a task follows. Two or more branches of one fan-out are followed through their join, and
        whoever opened a fan-out is followed through its join too, because it ends only behind that."""
        depends = set(depends_on)
        per_fold: dict[str, list[str]] = defaultdict(list)
        for task in depends:
            per_fold[self._scene.fold_of.get(task, "")].append(task)
        found: Counter[str] = Counter()
        for source_key, tasks in per_fold.items():
            join = self._join_of.get(source_key)
            if join is not None and key not in self._joins[join][0] and len(tasks) > 1:
                found[join] += len(tasks)
            elif source_key in self._keys and self._behind(source_key) and key != source_key:
                found[str(self._behind(source_key))] += len(tasks)
            else:
                found.update(self._plain(source_key, tasks))
        if parent and parent not in depends:
            found.update(self._plain(self._scene.fold_of.get(parent, ""), [parent]))
        return found

    def _plain(self, key: str, tasks: Iterable[str]) -> Counter[str]:
        nodes = [self._node_of.get(task, f"fold:{key}" if key in self._keys else "") for task in tasks]
        return Counter(node for node in nodes if node)

    def _nodes_of(self, key: str) -> list[str]:
        if key in self._single:
            return [f"task:{task.task_id}" for task in self._scene.members[key]]
        return [f"fold:{key}"]

    def _behind(self, key: str) -> str | None:
        """The join that the tasks of a fold end behind, because they opened its fan-out."""
        for name, (keys, ids) in self._joins.items():
            openers = {self._scene.fan_outs[one].parent_task_id for one in ids}
            if key not in keys and any(self._scene.fold_of.get(opener) == key for opener in openers if opener):
                return name
        return None


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


def _without_cycles(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs without self loops and without those that would close a cycle (broken recordings have some)."""
    ahead: dict[str, set[str]] = defaultdict(set)
    kept = []
    for source, target in sorted(pairs):
        if source != target and not _reaches(ahead, target, source):
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
