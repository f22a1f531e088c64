"""Joins too large to read every branch: counted by the database, and only what stands out is read.

A task whose index nobody else claims counts as it is. Where an index is claimed twice, or was never said, the tasks
in question are read and judged as those of a small join.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec
from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.expressions import OrderBy
from django.db.models.functions import RowNumber

from coordination.fanouts import Branch, FanOut
from coordination.joins import JoinProgress, Missing, Where, progress, where
from coordination.tasks import OPEN, TERMINAL
from coordination.tasks import Task as TaskRow
from coordination.verdicts import Standing, verdict
from dashboard.api.taskbody import DECODER
from dashboard.models import DeadLetter, Task

# So many missing inputs are named, and looked for among the first so many indexes.
NAMED: Final = 20
LOOKED: Final = 2_000
# So many tasks that claim an index twice are read; what is beyond counts as if nobody else claimed it.
CLAIMS: Final = 2_000
LATE: Final = 200
SILENT: Final = "not produced"
BAD: Final = tuple(sorted(TERMINAL - {"completed"}))

States = Mapping[str, Mapping[str, int]]


class _Found(msgspec.Struct, frozen=True):
    """What was read about large fan-outs, by fan-out id: how many tasks there are by state, the tasks that claim
    an index together, the first open ones, the first that ended without completing, which are dead letters."""

    states: States
    claims: dict[str, list[TaskRow]]
    open: dict[str, list[TaskRow]]
    bad: dict[str, list[TaskRow]]
    dead: set[str]
    late: dict[str, set[Branch]]


def branches(run_id: str, fan_out_ids: Collection[str]) -> QuerySet[Task]:
    """The tasks of these fan-outs. SQLite takes the index only if the query repeats its condition."""
    return Task.objects.filter(run_id=run_id, fanout_id__in=fan_out_ids).exclude(fanout_id="").order_by()


def counted(run_id: str, fan_outs: Sequence[FanOut], states: States) -> dict[str, JoinProgress]:
    """Fan-out id -> how its join stands. `states` are their tasks by state."""
    names = [each.fanout_id for each in fan_outs]
    tasks = branches(run_id, names)
    claims = _claims(run_id, tasks)
    claimed = {task.task_id for rows in claims.values() for task in rows}
    bad, opened = _standing_out(run_id, names)
    failed = {task.task_id for rows in bad.values() for task in rows} | claimed
    dead = DeadLetter.objects.filter(run_id=run_id, task_id__in=failed, state=DeadLetter.State.OPEN)
    found = _Found(
        states=states,
        claims=claims,
        open={name: [task for task in rows if task.task_id not in claimed] for name, rows in opened.items()},
        bad={name: _hopeless(bad.get(name, ()), claims.get(name, ())) for name in names},
        dead=set(dead.values_list("task_id", flat=True)),
        late=_late(tasks, fan_outs, claimed),
    )
    return {each.fanout_id: _progress(each, found) for each in fan_outs}


def _standing_out(run_id: str, names: Collection[str]) -> tuple[dict[str, list[TaskRow]], dict[str, list[TaskRow]]]:
    """The first branches that were lost, and the first that are open."""
    # Not by the index of fan-outs: few tasks are lost or open, and that of states leads to them.
    tasks = Task.objects.filter(run_id=run_id, fanout_id__in=names).order_by()
    lost = _first(run_id, tasks.filter(state__in=BAD), [F("ended_at").asc(), F("task_id").asc()])
    return lost, _first(run_id, tasks.filter(state__in=OPEN), [F("fanout_index").asc(), F("task_id").asc()])


def _claims(run_id: str, tasks: QuerySet[Task]) -> dict[str, list[TaskRow]]:
    """The tasks that claim an index with others or say none, and what those redo."""
    groups = tasks.values_list("fanout_id", "fanout_index").annotate(claims=Count("task_id"))
    shared = list(groups.filter(Q(claims__gt=1) | Q(fanout_index=None))[:CLAIMS])
    if not shared:
        return {}
    indexes = {index for _, index, _ in shared if index is not None}
    ours = tasks.filter(fanout_id__in={name for name, _, _ in shared})
    rows = ours.filter(Q(fanout_index__in=indexes) | Q(fanout_index=None))
    names = list(rows.values_list("task_id", flat=True)[:CLAIMS])
    redone = ours.filter(task_id__in=[name for name in _of(rows, "retry_of") if name])
    return _bodies(run_id, {*names, *redone.values_list("task_id", flat=True)})


def _of(rows: QuerySet[Task], column: str) -> Iterable[str]:
    return rows.values_list(column, flat=True)[:CLAIMS]


def _first(run_id: str, tasks: QuerySet[Task], order: list[OrderBy]) -> dict[str, list[TaskRow]]:
    """The first tasks of each fan-out."""
    place = Window(RowNumber(), partition_by=F("fanout_id"), order_by=order)
    rows = tasks.values("task_id").annotate(place=place).filter(place__lte=NAMED)
    return _bodies(run_id, {row["task_id"] for row in rows})


def _bodies(run_id: str, names: Collection[str]) -> dict[str, list[TaskRow]]:
    found: dict[str, list[TaskRow]] = defaultdict(list)
    ordered = sorted(names)
    for start in range(0, len(ordered), 500):
        rows = Task.objects.filter(run_id=run_id, task_id__in=ordered[start : start + 500])
        for name, body in rows.values_list("fanout_id", "body"):
            found[name].append(DECODER.decode(body))
    return found


def _hopeless(bad: Sequence[TaskRow], claims: Sequence[TaskRow]) -> list[TaskRow]:
    """The first branches that ended without completing and were not redone, in the order in which they ended."""
    redone = {task.retry_of for task in claims}
    lost = {task.task_id: task for task in (*bad, *claims) if task.state in BAD and task.task_id not in redone}
    return sorted(lost.values(), key=lambda task: (task.ended_at or 0, task.task_id))


def _late(tasks: QuerySet[Task], fan_outs: Sequence[FanOut], claimed: Collection[str]) -> dict[str, set[Branch]]:
    """The branches that ended after the verdict."""
    found: dict[str, set[Branch]] = defaultdict(set)
    after = Q()
    for each in fan_outs:
        if each.verdict_at is not None:
            after |= Q(fanout_id=each.fanout_id, ended_at__gt=each.verdict_at)
    if after:
        columns = ("fanout_id", "fanout_index", "task_id", "state")
        for name, index, task_id, state in tasks.filter(after, fanout_index__gte=0).values_list(*columns)[:LATE]:
            if task_id not in claimed:
                found[name].add(Branch(index, task_id, state))
    return found


def _progress(fan_out: FanOut, found: _Found) -> JoinProgress:
    name = fan_out.fanout_id
    claims = found.claims.get(name, [])
    # Without a total: what is silent is counted here, not among the claims.
    judged = progress(msgspec.structs.replace(fan_out, expected=None), claims, dead=found.dead)
    counts = _together(found.states.get(name, {}), claims, judged)
    seen = [*found.open.get(name, ()), *found.bad.get(name, ()), *claims]
    stated = {each.fanout_count for each in seen if each.fanout_count is not None}
    expected = fan_out.expected if fan_out.expected is not None else max(stated, default=None)
    bad = next(iter(found.bad.get(name, ())), None)
    arrived = sum(count for state, count in counts.items() if state in TERMINAL)
    completed = counts.get("completed", 0)
    produced = sum(counts.values())
    stands = Standing(
        expected=expected,
        known=max(produced, len(fan_out.branches)),
        arrived=arrived,
        completed=completed,
        bad=arrived - completed,
        first_bad=bad,
        dead=bad is not None and bad.task_id in found.dead,
    )
    silent = stands.total - produced
    word, reason = verdict(fan_out, stands)
    told = {each.index for each in (*judged.late, *fan_out.causes)}
    return msgspec.structs.replace(
        judged,
        expected=expected,
        known=stands.known,
        arrived=arrived,
        completed=completed,
        counts=counts | ({SILENT: silent} if silent else {}),
        missing=_missing(fan_out, found, judged, _gaps(fan_out, claims, expected) if silent else ()),
        missing_count=stands.total - arrived,
        late=(*judged.late, *sorted(each for each in found.late.get(name, ()) if each.index not in told)),
        disagrees=len(stated | ({fan_out.expected} - {None})) > 1,
        verdict=word,
        reason=reason,
    )


def _together(states: Mapping[str, int], claims: Sequence[TaskRow], judged: JoinProgress) -> dict[str, int]:
    """Branches by state: each task, but of those that claim an index together only the one that counts."""
    counts = dict(states)
    for task in claims:
        counts[task.state] -= 1
    for state, count in judged.counts.items():
        if state != SILENT:
            counts[state] = counts.get(state, 0) + count
    return {state: count for state, count in counts.items() if count}


def _missing(fan_out: FanOut, found: _Found, judged: JoinProgress, gaps: Sequence[int]) -> tuple[Missing, ...]:
    rows = found.open.get(fan_out.fanout_id, [])
    named = {branch.index: branch.task_id for branch in fan_out.branches}
    missing = [Missing(task.fanout_index, task.task_id, where(task, found.dead)) for task in rows]
    missing += [each for each in judged.missing if each.where.place != SILENT]
    missing += [Missing(index, named.get(index, ""), Where(SILENT)) for index in gaps]
    order = sorted(missing, key=lambda one: (one.index is not None, one.index or 0, one.task_id))
    return tuple(order[:NAMED])


def _gaps(fan_out: FanOut, claims: Sequence[TaskRow], expected: int | None) -> list[int]:
    """The indexes that nobody claims, among the first ones."""
    named = {branch.task_id: branch.index for branch in fan_out.branches if branch.task_id}
    indexes = sorted({*range(min(LOOKED, expected or 0)), *(branch.index for branch in fan_out.branches)})[:LOOKED]
    if not indexes:
        return []
    rows = branches(fan_out.run_id, [fan_out.fanout_id]).filter(fanout_index__lte=indexes[-1])
    taken = {*rows.values_list("fanout_index", flat=True), *(named.get(task.task_id) for task in claims)}
    return [index for index in indexes if index not in taken][:NAMED]
