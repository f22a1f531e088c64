"""Lists of tasks of one run: failed first, then whoever waits for a person, then the rest; by keyset."""

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Q, QuerySet

from dashboard.api.paging import cursor, position
from dashboard.api.problems import Problem
from dashboard.api.reasons import reasons
from dashboard.api.rows import task_row
from dashboard.api.taskbody import task_of
from dashboard.models import DeadLetter, Task

# The order of a page, and the words of `state:` in a filter.
RANKS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("failed", ("failed", "rejected", "expired")),
    ("human", ("input_required", "auth_required")),
    ("retrying", ("retry_wait",)),
    ("running", ("working",)),
    ("waiting", ("requested", "submitted")),
    ("unknown", ("unknown",)),
    ("canceled", ("canceled",)),
    ("done", ("completed",)),
)
WORDS: Final = dict(RANKS)
STATES: Final = tuple(state for _, states in RANKS for state in states)


def filtered(run_id: str, query: str = "", fold: str | None = None, fanout: str | None = None) -> QuerySet[Task]:
    """Tasks of a run that a filter asks for: `state:failed agent:coder type:search` and words of title or id.

    Raises Problem 400 naming the word that is not understood.
    """
    found = Task.objects.filter(run_id=run_id)
    if fold is not None:
        found = found.filter(fold_key=fold)
    if fanout:
        found = found.filter(fanout_id=fanout).exclude(fanout_id="")
    for word in query.split():
        found = found.filter(_condition(word, query.index(word)))
    return found


def _condition(word: str, at: int) -> Q:
    key, colon, value = word.partition(":")
    if not colon:
        return Q(title__icontains=word) | Q(task_id__icontains=word) | Q(task_type__icontains=word)
    if key == "state":
        return Q(state__in=[state for name in value.split(",") for state in WORDS.get(name, (name,))])
    fields = {"agent": "agent_group", "type": "task_type", "task": "task_id", "instance": "agent_id"}
    if key not in fields:
        names = ", ".join(("state", *fields))
        raise Problem(400, "bad_query", f"{key}: is no field of tasks; there are {names}.", at=at)
    return Q(**{fields[key]: value})


def task_page(found: QuerySet[Task], after: str | None, limit: int, now: int) -> dict[str, Any]:
    """One page of tasks, state by state in the order of RANKS; each is a query of the index on (run, state, id)."""
    key = position(after, 2)
    rank, last = (int(key[0]), str(key[1])) if key else (0, "")
    tasks: list[tuple[int, Task]] = []
    while rank < len(STATES) and len(tasks) <= limit:
        some = found.filter(state=STATES[rank], task_id__gt=last).order_by("task_id")
        tasks += [(rank, task) for task in some[: limit + 1 - len(tasks)]]
        rank, last = rank + 1, ""
    following = cursor(tasks[limit - 1][0], tasks[limit - 1][1].task_id) if len(tasks) > limit else None
    return {"items": task_rows([task for _, task in tasks[:limit]], now), "next": following}


def task_rows(tasks: Sequence[Task], now: int) -> list[dict[str, Any]]:
    """Rows of these tasks of one run: dead letters marked, each open one with why it waits."""
    dead, whole = dead_among(tasks), [task_of(task) for task in tasks]
    why = reasons(whole, now)
    return [task_row(task, waiting=why.get(task.task_id), dead=task.task_id in dead) for task in whole]


def dead_among(tasks: Sequence[Task]) -> set[str]:
    """Which of these tasks of one run have an open dead letter."""
    failed = [task.task_id for task in tasks if task.state in WORDS["failed"]]
    if not failed:
        return set()
    letters = DeadLetter.objects.filter(run_id=tasks[0].run_id, task_id__in=failed, state=DeadLetter.State.OPEN)
    return set(letters.values_list("task_id", flat=True))
