"""The query line of tasks: their columns answer what they can, the body the rest.

Its meaning is that of `coordination.matching`; a test holds the two together.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from django.db.models import Q

from coordination.causes import causes
from coordination.matching import COLUMNS, STATES, descendants, matches, states_of
from coordination.query import Term
from coordination.subjects import TASKS, WAITS
from coordination.tasks import TERMINAL
from coordination.tasks import Task as TaskRow
from dashboard.api.condition import (
    Condition,
    Test,
    age,
    events_at,
    every,
    number,
    places,
    signed,
    span,
    terms_of,
    text,
    word,
)
from dashboard.api.problems import Problem
from dashboard.api.taskbody import DECODER
from dashboard.models import DeadLetter, Task

TEXT: Final = ("title", "task_id", "task_type")
COMMAND: Final = ("command_topic", "command_partition", "command_offset")
# What hangs on what can be asked of runs of up to so many tasks.
SEARCHED: Final = 100_000
# Ids that a condition may list; of more than that each row is tested.
LISTED: Final = 2_000


def task_condition(run_id: str, line: str, now: int) -> Condition[TaskRow]:
    """What a line asks of the tasks of a run at `now` (µs). Raises Problem 400 for what is not understood."""
    where, tests = [Q(run_id=run_id)], []
    for term in terms_of(line, TASKS):
        condition, test = _asked(run_id, term, now)
        where.append(condition)
        tests += [test] if test else []
    return Condition(every(where), tuple(tests))


Asked = tuple[Q, Test | None]


def _asked(run_id: str, term: Term, now: int) -> Asked:
    """The condition of one term, and the test of the body where that is not all."""
    if term.key in COLUMNS:
        return signed(term, word(COLUMNS[term.key], term.words)), None
    if term.key in ("caused-by", "blocked-by"):
        return _members(term, _hanging(run_id, term))
    if term.key == "state" and "blocked" in term.words:
        return _blocked(run_id, term)
    if term.key == "state" and "dead" in term.words:
        return _dead(run_id, term)
    exact = _EXACT.get(term.key)
    if exact is not None:
        return signed(term, exact(term, now)), None
    return sieve(term, now), lambda task: matches(term, task, now)


_EXACT: Final[dict[str, Callable[[Term, int], Q]]] = {
    "state": lambda term, now: Q(state__in=states_of(term.words)),
    "title": lambda term, now: text(("title",), term.words),
    "fingerprint": lambda term, now: word("error_fingerprint", term.words) & ~Q(error_fingerprint=""),
    "attempt": lambda term, now: number("attempt", term),
    "age": lambda term, now: age("requested_at", term, now),
    "offset": lambda term, now: _at(term),
}


def sieve(term: Term, now: int) -> Q:
    """Keeps out tasks that cannot fit, by columns alone."""
    if term.negated:
        return Q()
    if term.key == "":
        return text(TEXT, term.words) | ~Q(error_fingerprint="")
    if term.key == "error":
        return ~Q(error_fingerprint="")
    if term.key in (*WAITS, "took") and term.op in (">", ">="):
        # No part is longer than the whole.
        ended = Q(state__in=TERMINAL, ended_at__isnull=False)
        long = Q(requested_at__isnull=True) | (~ended & age("requested_at", term, now))
        return long | (ended & span("requested_at", "ended_at", term, now))
    return Q()


def _at(term: Term) -> Q:
    tasks = {event.task_id for event in events_at(term.places) if event.task_id}
    return Q(task_id__in=tasks) | places(COMMAND, term.places)


def _dead(run_id: str, term: Term) -> Asked:
    letters = set(DeadLetter.objects.filter(run_id=run_id, state="open").values_list("task_id", flat=True))
    states, failed = states_of(one for one in term.words if one != "dead"), STATES["failed"]

    def dead(task: TaskRow) -> bool:
        return "dead" in term.words and task.state in failed and (task.dead_lettered or task.task_id in letters)

    where = Q() if term.negated else Q(state__in=(*states, *failed))
    return where, lambda task: (task.state in states or dead(task)) != term.negated


def _blocked(run_id: str, term: Term) -> Asked:
    """Tasks that hang on a failure, or stand as the other words of the term say."""
    others = tuple(one for one in term.words if one != "blocked")
    _, test = _dead(run_id, msgspec.structs.replace(term, values=others, negated=False)) if others else (None, None)
    blocked = {task_id for cause in causes(_whole(run_id, term)) for task_id in cause.blocked}
    return Q(), lambda task: (task.task_id in blocked or bool(test and test(task))) != term.negated


def _hanging(run_id: str, term: Term) -> set[str]:
    """The tasks that hang on one of the named ones: by cause, or blocked by its failure."""
    tasks = _whole(run_id, term)
    if term.key == "caused-by":
        return {task_id for one in term.words for task_id in descendants(tasks, one)}
    return {task_id for cause in causes(tasks) if cause.task_id in term.words for task_id in cause.blocked}


def _whole(run_id: str, term: Term) -> list[TaskRow]:
    """All tasks of a run. Raises Problem 400 where there are too many to ask this of."""
    rows = Task.objects.filter(run_id=run_id).values_list("body", flat=True)
    if rows.count() > SEARCHED:
        raise Problem(
            400,
            "bad_query",
            f"{term.key} can be asked of runs of up to {SEARCHED:,} tasks; this one has more.",
            at=term.at,
            end=term.end,
        )
    return [DECODER.decode(body) for body in rows.iterator(chunk_size=1000)]


def _members(term: Term, ids: Iterable[str]) -> Asked:
    found = set(ids)
    if len(found) <= LISTED:
        return signed(term, Q(task_id__in=found)), None
    return Q(), lambda task: (task.task_id in found) != term.negated
