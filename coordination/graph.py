"""The graph of a run: folds of alike tasks, single tasks where there are few, and joins between them.

A pure function of a few rows, so that every viewer sees the same picture. It is given (`Scene`):

- the folds of the run, summed over shards (one small row per fold, however many tasks are in it);
- for each fold its **sample** member, whose inputs stand for those of all members, because members of one fold
  have the same predecessor folds; and the fold of each task a sample names (`fold_of`: one bounded query);
- the members of small folds (six or fewer tasks), and up to five surfaced members of larger ones;
- the fan-outs that samples belong to.

So a run of 100,000 tasks costs what one of 100 costs: one query for the folds, one for the folds of the tasks that
`needs` names, one for small folds' members, one for each kind of surfaced member, one for the fan-outs. At most
MAX_ELEMENTS nodes, surfaced members and edges come out. Where that is not enough, the picture is folded again
(`refolding`), step by step until it fits, and `refolded` says so.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import msgspec

from coordination.drawing import Drawing
from coordination.refolding import by_group, by_stage, by_type, without_implied
from coordination.scene import (
    MAX_ELEMENTS,
    MAX_FOLDS,
    SINGLE,
    SURFACED,
    Edge,
    Fold,
    Kind,
    Node,
    Picture,
    Scene,
    first_seen,
)

__all__ = [
    "MAX_ELEMENTS",
    "MAX_FOLDS",
    "SINGLE",
    "SURFACED",
    "Edge",
    "Fold",
    "Kind",
    "Node",
    "Picture",
    "Scene",
    "needs",
    "picture",
]

ASKED: Final = 20
CROWDED: Final = 2


def picture(scene: Scene, opened: Collection[str] = ()) -> Picture:
    """The picture of a run. `opened` are the keys of folds that the viewer opened: a fold shows its members as
    marks, one that was folded again shows the folds in it, as long as there is room."""
    opened = {key.removeprefix("fold:") for key in opened}
    scene = msgspec.structs.replace(scene, folds=[fold for fold in scene.folds if fold.total])
    for drawing, refolded in _attempts(scene, opened):
        if drawing.size() <= MAX_ELEMENTS:
            homes = {fold.fold_key: drawing.home(fold) for fold in scene.folds}
            nodes, edges = drawing.nodes(), drawing.edges()
            # Folds by type follow from almost all others: hundreds of edges that nobody can read.
            kept = without_implied(edges) if refolded and len(edges) > CROWDED * len(nodes) else edges
            return Picture(nodes, kept, refolded, homes, len(edges) - len(kept))
    raise AssertionError("two stages always fit")


def needs(folds: Sequence[Fold]) -> tuple[set[str], set[str]]:
    """What to load for a picture: (task ids whose fold is asked for, fan-out ids).

    Of more folds than are ever drawn only some of each kind are asked, so that the answer stays bounded.
    """
    tasks, fan_outs = set[str](), set[str]()
    asked: Counter[tuple[str, str]] = Counter()
    for fold in sorted(folds, key=first_seen):
        kind = fold.task_type, fold.agent_group
        asked[kind] += 1
        if len(folds) > MAX_FOLDS and asked[kind] > ASKED:
            continue
        if fold.sample is not None:
            tasks |= {*fold.sample.depends_on, fold.sample.parent_task_id} - {""}
        fan_outs |= set(fold.fanouts)
    return tasks, fan_outs


def _attempts(scene: Scene, opened: Collection[str]) -> Iterator[tuple[Drawing, bool]]:
    """Drawings, each with less in it than the one before; the last ones hold next to nothing."""
    if len(scene.folds) <= MAX_FOLDS:
        yield Drawing(scene, _singles(scene), opened), False
        yield Drawing(scene, (), opened), False
    typed = by_type(scene, opened)
    yield Drawing(typed, _singles(typed), opened), True
    for coarse in (by_type(scene), by_group(scene)):
        if len(coarse.folds) <= MAX_FOLDS:
            yield Drawing(coarse, (), opened), True
    coarse = by_type(scene)
    for kept in (96, 48, 24, 12, 6, 3, 0):
        yield Drawing(by_stage(coarse, kept), (), opened), True


def _singles(scene: Scene) -> set[str]:
    """Folds whose members are drawn themselves: six or fewer, all of them at hand."""
    small = (fold for fold in scene.folds if fold.total <= SINGLE)
    return {fold.fold_key for fold in small if len(scene.members.get(fold.fold_key, ())) == fold.total}
