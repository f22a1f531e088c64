"""Tasks that depend on very many others, as pictures need them: of what they follow in each fold two stand for all.

A join of 100,000 branches names each of them. A picture asks only which folds they are in and how many of each there
are, so the database counts them, and the list is replaced by a short one with weights. Once all of them were asked for
that never changes, so it is remembered.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Final

import msgspec
from django.db import connections, router
from django.db.models import Count, Max, Min, QuerySet
from django.db.utils import DEFAULT_DB_ALIAS

from coordination.scene import Fold
from coordination.tasks import Task as TaskRow
from dashboard.models import Task

LONG: Final = 500
"""So many inputs are looked up one by one."""
AMONG: Final[Mapping[str, str]] = {"sqlite": "IN (SELECT value FROM json_each(%s))", "postgresql": "= ANY(%s)"}
REMEMBERED: Final = 500
Members = Mapping[str, Sequence[TaskRow]]
Counted = tuple[str, int, str, str]
"""Fold key, how many tasks, the first of them, the last."""
_known: "OrderedDict[tuple[str, str, str], Sequence[Counted]]" = OrderedDict()
_lock: Final = Lock()


class Shortened(msgspec.Struct, frozen=True):
    """Folds and members whose tasks have short lists of inputs. `weights` tells by task how many inputs an input in
    its list stands for, `fold_of` in which fold it is.
    """

    folds: list[Fold]
    members: dict[str, list[TaskRow]]
    weights: dict[str, dict[str, int]]
    fold_of: dict[str, str]


def shortened(run_id: str, folds: Sequence[Fold], members: Members) -> Shortened:
    """The folds of a run and the members of small ones, nothing in them longer than LONG; one query for each task
    that has a longer list."""
    drawn = {task.task_id: key for key, tasks in members.items() for task in tasks}
    long = {fold.sample.task_id: fold.sample.depends_on for fold in folds if fold.sample}
    long |= {task.task_id: task.depends_on for tasks in members.values() for task in tasks}
    long = {task_id: names for task_id, names in long.items() if len(names) > LONG}
    found = Shortened([], {}, {}, {})
    for task_id, names in long.items():
        found.weights[task_id] = _weights(_by_fold(run_id, task_id, names), names, drawn, found.fold_of)
    found.folds.extend(_short_fold(fold, found.weights) for fold in folds)
    found.members.update({key: [_short(task, found.weights) for task in tasks] for key, tasks in members.items()})
    return found


def _short_fold(fold: Fold, weights: Mapping[str, Mapping[str, int]]) -> Fold:
    return fold if fold.sample is None else msgspec.structs.replace(fold, sample=_short(fold.sample, weights))


def _short(task: Any, weights: Mapping[str, Mapping[str, int]]) -> Any:
    short = weights.get(task.task_id)
    return task if short is None else msgspec.structs.replace(task, depends_on=tuple(sorted(short)))


def _weights(
    rows: Sequence[Counted], names: Sequence[str], drawn: Mapping[str, str], fold_of: dict[str, str]
) -> dict[str, int]:
    """Input -> how many it stands for: each that is drawn itself for one, two of every other fold for all of it."""
    small = set(drawn.values())
    weights = dict.fromkeys(drawn.keys() & set(names), 1)
    fold_of.update({name: drawn[name] for name in weights})
    for key, count, first, last in rows:
        if key not in small:
            weights |= {last: 1, first: count - (first != last)}
            fold_of |= {first: key, last: key}
    return weights


def _by_fold(run_id: str, task_id: str, names: Sequence[str]) -> Sequence[Counted]:
    """What a task of a run depends on, by fold."""
    alias = router.db_for_read(Task)
    key = str(connections[alias].settings_dict["NAME"]), run_id, task_id
    with _lock:
        known = _known.get(key, ()) if alias == DEFAULT_DB_ALIAS else ()
        if known and _complete(known, names):
            _known.move_to_end(key)
            return known
    found = list(_counted(run_id, names, connections[alias].vendor))
    # In the past, and while some were not asked for yet, it is different another time.
    if alias == DEFAULT_DB_ALIAS and _complete(found, names):
        with _lock:
            _known[key] = found
            while len(_known) > REMEMBERED:
                _known.popitem(last=False)
    return found


def _complete(rows: Sequence[Counted], names: Sequence[str]) -> bool:
    return sum(count for _, count, _, _ in rows) == len(names)


def forget() -> None:
    """Forget what was counted: the tables were replaced by others."""
    with _lock:
        _known.clear()


def _counted(run_id: str, names: Sequence[str], vendor: str) -> QuerySet[Task, Any]:
    given: Any = json.dumps(list(names)) if vendor == "sqlite" else list(names)
    rows = Task.objects.filter(run_id=run_id).order_by()
    column = f'"{Task._meta.db_table}"."task_id"'
    where = [f"{column} {AMONG[vendor]}"]
    rows = rows.extra(where=where, params=[given])  # noqa: S610  # the names are parameters  # nosec B610
    counts = Count("task_id"), Min("task_id"), Max("task_id")
    return rows.values("fold_key").annotate(*counts).values_list("fold_key", *(each.default_alias for each in counts))
