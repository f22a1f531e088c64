"""How joins of a run stand, many at once in a bounded number of queries.

The members of small fan-outs are read whole, up to READ in all; larger ones are counted by the database.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db.models import Count

from coordination.fanouts import FanOut
from coordination.joins import JoinProgress, progress
from coordination.tasks import FAILING
from coordination.tasks import Task as TaskRow
from dashboard.api.joincounts import branches, counted
from dashboard.api.taskbody import DECODER
from dashboard.models import DeadLetter

READ: Final = 2_000


def standings(run_id: str, fan_outs: Sequence[FanOut]) -> dict[str, JoinProgress]:
    """Fan-out id -> how its join stands, for these fan-outs of one run."""
    if not fan_outs:
        return {}
    found = branches(run_id, [each.fanout_id for each in fan_outs])
    states: dict[str, dict[str, int]] = {each.fanout_id: {} for each in fan_outs}
    for name, state, count in found.values_list("fanout_id", "state").annotate(Count("task_id")):
        states[name][state] = count
    small = smallest({name: sum(counts.values()) for name, counts in states.items()})
    large = [each for each in fan_outs if each.fanout_id not in small]
    stands = _read(run_id, [each for each in fan_outs if each.fanout_id in small])
    return stands | (counted(run_id, large, states) if large else {})


def smallest(sizes: Mapping[str, int]) -> set[str]:
    """The smallest fan-outs, as many as READ members in all allow."""
    found, left = set(), READ
    for name, size in sorted(sizes.items(), key=lambda one: (one[1], one[0])):
        left -= size
        if left >= 0:
            found.add(name)
    return found


def _read(run_id: str, fan_outs: Sequence[FanOut]) -> dict[str, JoinProgress]:
    names = [each.fanout_id for each in fan_outs]
    members: dict[str, list[TaskRow]] = defaultdict(list)
    for name, body in branches(run_id, names).values_list("fanout_id", "body"):
        members[name].append(DECODER.decode(body))
    dead = dead_of(run_id, (task for tasks in members.values() for task in tasks))
    return {each.fanout_id: progress(each, members[each.fanout_id], dead=dead) for each in fan_outs}


def dead_of(run_id: str, tasks: Iterable[TaskRow]) -> set[str]:
    """Which of these tasks lie in a dead letter topic."""
    failed = [task.task_id for task in tasks if task.state in FAILING]
    if not failed:
        return set()
    dead = DeadLetter.objects.filter(run_id=run_id, task_id__in=failed, state=DeadLetter.State.OPEN)
    return set(dead.values_list("task_id", flat=True))
