"""What a picture of a run is made of, out of the tables, in a bounded number of queries however many tasks there
are: folds, the folds of the tasks that samples name, the members of small folds, five surfaced members each of the
larger ones, the fan-outs that samples belong to.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from coordination.fanouts import FanOut as FanOutRow
from coordination.graph import MAX_FOLDS, SINGLE, SURFACED, Fold, Picture, Scene, needs, picture
from coordination.tasks import FAILING
from coordination.tasks import Task as TaskRow
from dashboard.api.foldlist import Fold as FoldSum
from dashboard.api.foldlist import folds_of
from dashboard.api.longinputs import shortened
from dashboard.api.taskbody import DECODER
from dashboard.api.tasklist import dead_among
from dashboard.models import DeadLetter, FanOut, Task

CHUNK: Final = 500
FANOUTS: Final = 200
# What is worth standing out of a fold, worst first.
SURFACING: Final = (
    ("failed", "rejected", "expired"),
    ("input_required", "auth_required"),
    ("retry_wait",),
    ("working",),
)
_fan_out = msgspec.json.Decoder(FanOutRow)


class RunScene(msgspec.Struct, frozen=True):
    """The scene of a run and the picture of it; `dead` are the dead-lettered tasks among those drawn by name,
    `dead_counts` how many there are in each fold. `revision` grows with every change of a fold.
    """

    scene: Scene
    picture: Picture
    dead: set[str]
    dead_counts: dict[str, int]
    revision: int


def scene_of(run_id: str, opened: Collection[str] = ()) -> RunScene:
    """All that the pictures of a run (graph, timeline) share; `opened` are the folds a viewer opened."""
    sums = folds_of(run_id)
    few = [each.fold_key for each in sums if each.total <= SINGLE] if len(sums) <= MAX_FOLDS else []
    short = shortened(run_id, [_fold(each) for each in sums], _members(run_id, few))
    folds, members = short.folds, short.members
    task_ids, fanout_ids = needs(folds)
    rows = FanOut.objects.filter(run_id=run_id, fanout_id__in=sorted(fanout_ids)[:FANOUTS])
    fan_outs = {row.fanout_id: _fan_out.decode(row.body) for row in rows}
    openers = {row.parent_task_id for row in fan_outs.values() if row.parent_task_id}
    task_ids |= {
        name for tasks in members.values() for task in tasks for name in (*task.depends_on, task.parent_task_id)
    }
    lost = _lost(run_id)
    surfaced, dead = _surfaced(run_id, lost, [fold for fold in folds if fold.fold_key not in members])
    if few:
        dead |= dead_among(list(Task.objects.filter(run_id=run_id, fold_key__in=few, state__in=SURFACING[0])))
    scene = Scene(
        folds=folds,
        fold_of=short.fold_of | _fold_of(run_id, (task_ids | openers) - short.fold_of.keys() - {""}),
        members=members,
        weights=short.weights,
        surfaced=surfaced,
        fan_outs=fan_outs,
        dead=dead,
    )
    return RunScene(scene, picture(scene, opened), dead, _dead_counts(lost), sum(each.revision for each in sums))


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


def _surfaced(run_id: str, lost: QuerySet[Task], folds: Sequence[Fold]) -> tuple[dict[str, list[TaskRow]], set[str]]:
    """Up to SURFACED members of each fold, dead letters first, then the worst and the slowest; which are dead."""
    found: dict[str, list[TaskRow]] = defaultdict(list)
    dead = {row.task_id for row in _first(lost, [fold for fold in folds if _any(fold, SURFACING[0])], found)}
    named = set(dead)
    for states in SURFACING:
        wanting = [fold for fold in folds if len(found[fold.fold_key]) < SURFACED and _any(fold, states)]
        some = Task.objects.filter(run_id=run_id, state__in=states).exclude(task_id__in=named)
        named |= {row.task_id for row in _first(some, wanting, found)}
    return found, dead


def _any(fold: Fold, states: Iterable[str]) -> bool:
    return any(fold.counts.get(state) for state in states)


def _first(tasks: QuerySet[Task], folds: Sequence[Fold], found: dict[str, list[TaskRow]]) -> list[Task]:
    """Adds the first of these tasks to each of the folds, as long as there is room; returns what was added."""
    if not folds:
        return []
    order = Window(RowNumber(), partition_by=F("fold_key"), order_by=[F("started_at").asc(), F("task_id").asc()])
    some = tasks.filter(fold_key__in=[fold.fold_key for fold in folds]).annotate(place=order)
    added: list[Task] = []
    for row in some.filter(place__lte=SURFACED).order_by("fold_key", "place"):
        if len(found[row.fold_key]) < SURFACED:
            found[row.fold_key].append(DECODER.decode(row.body))
            added.append(row)
    return added


def _lost(run_id: str) -> QuerySet[Task]:
    """The tasks of a run that lie in a dead letter topic. Few are named one by one: then no database reads all tasks
    of the run to find them."""
    letters = DeadLetter.objects.filter(run_id=run_id, state=DeadLetter.State.OPEN).order_by().values("task_id")
    names = {each["task_id"] for each in letters[: CHUNK + 1]}
    if not names:
        return Task.objects.none()
    return Task.objects.filter(run_id=run_id, task_id__in=letters if len(names) > CHUNK else names)


def _dead_counts(lost: QuerySet[Task]) -> dict[str, int]:
    """Fold key -> how many of its failed tasks lie in a dead letter topic."""
    failed = lost.filter(state__in=FAILING)
    return dict(failed.values_list("fold_key").annotate(Count("task_id")))
