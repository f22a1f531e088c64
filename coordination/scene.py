"""What a picture of a run is made of, and what comes out: folds, tasks, fan-outs; nodes and edges."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal

import msgspec

from coordination.fanouts import FanOut
from coordination.joins import JoinProgress
from coordination.runs import Sample
from coordination.tasks import Task

SINGLE: Final = 6
SURFACED: Final = 5
MAX_ELEMENTS: Final = 400
MAX_FOLDS: Final = 150
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
    its fold key; `weights` a task id to how many inputs each of its inputs stands for, where lists were shortened;
    `progress` a fan-out id to how its join stands, for those that were asked for; `dead` are the ids
    of dead-lettered tasks among the surfaced ones.
    """

    folds: Sequence[Fold]
    fold_of: Mapping[str, str] = {}
    members: Mapping[str, Sequence[Task]] = {}
    surfaced: Mapping[str, Sequence[Task]] = {}
    weights: Mapping[str, Mapping[str, int]] = {}
    fan_outs: Mapping[str, FanOut] = {}
    progress: Mapping[str, JoinProgress] = {}
    dead: Collection[str] = ()


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One drawn node. `members` tasks (or fan-outs, of a join) by shown state in `counts`.

    `fold_key` is that of a fold or of a single task, `tasks` the rows of a single task (one) or of the surfaced
    members of a fold, `fan_out_ids` those of a join. `inferred`: nobody stamped what is folded here. `open`: the
    viewer opened this fold; its members are shown as marks (one for each, from `counts`), never as boxes. `more`:
    of this join's fan-outs only some are known here, because folds keep no more than a few of their ids.
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
    open: bool = False
    more: bool = False
    first_at: int = 0


class Edge(msgspec.Struct, frozen=True, order=True):
    """An edge: `count` dependencies lie in it; `inferred` where it was read off an unstamped fold."""

    source: str
    target: str
    count: int = 1
    inferred: bool = False


class Picture(msgspec.Struct, frozen=True):
    """Nodes in first-seen order and edges. `refolded` says that folds were folded again, because they were too
    many: by type and group, or whole stages far from the running front. `homes` maps each fold of the run to the one
    that it is drawn in. `left_out` edges are not drawn, because longer ways lead from their source to their target.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    refolded: bool = False
    homes: dict[str, str] = {}
    left_out: int = 0


def first_seen(fold: Fold) -> tuple[int, str]:
    """The order of folds: as they were first asked for; what was never asked for comes last."""
    return fold.first_at if fold.first_at is not None else 1 << 62, fold.fold_key
