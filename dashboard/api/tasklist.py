"""Lists of tasks of one run: failed first, then whoever waits for a person, then the rest; by keyset."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from django.db.models import QuerySet

from coordination.matching import STATES as WORDS
from coordination.tasks import FAILING
from coordination.tasks import Task as TaskRow
from dashboard.api.condition import Condition
from dashboard.api.paging import cursor, position
from dashboard.api.reasons import reasons
from dashboard.api.rows import task_row
from dashboard.api.taskbody import task_of
from dashboard.api.taskfilter import task_condition
from dashboard.models import DeadLetter, Task

# The order of a page, and the words of `state:` that lists link to.
RANKED: Final = ("failed", "human", "retrying", "running", "waiting", "unknown", "canceled", "done")
STATES: Final = tuple(state for word in RANKED for state in WORDS[word])
# Rows that one page looks at where only the body of a task tells whether it fits; the cursor goes on behind them.
LOOKED_AT: Final = 10_000
CHUNK: Final = 500


class Found(msgspec.Struct, frozen=True):
    """Tasks of a run that a line asks for: those of `rows` whose bodies fit `condition`."""

    rows: QuerySet[Task]
    condition: Condition[TaskRow]

    def all(self) -> Iterator[Task]:
        """Every one of them."""
        return (row for row in self.rows.iterator(chunk_size=CHUNK) if self.fits(row))

    def fits(self, row: Task) -> bool:
        """Whether a row of `rows` is one of them."""
        return not self.condition.tests or self.condition.holds(task_of(row))


def filtered(run_id: str, query: str = "", fold: str | None = None, fanout: str | None = None, *, now: int) -> Found:
    """Tasks of a run that a query line asks for at `now` (µs), of one fold or fan-out if it is named.

    Raises Problem 400 pointing at what is not understood.
    """
    condition = task_condition(run_id, query, now)
    found = Task.objects.filter(condition.where)
    if fold is not None:
        found = found.filter(fold_key=fold)
    if fanout:
        found = found.filter(fanout_id=fanout).exclude(fanout_id="")
    return Found(found, condition)


def task_page(found: Found, after: str | None, limit: int, now: int) -> dict[str, Any]:
    """One page of tasks, state by state in the order of STATES; each is a query of the index on (run, state, id).

    A page may hold fewer than `limit` and yet have a next one, where bodies are looked at.
    """
    key = position(after, int, str)
    walk = _Walk(found, limit, max(0, key[0]) if key else 0, key[1] if key else "")
    tasks = walk.page()
    return {"items": task_rows(tasks, now), "next": cursor(walk.rank, walk.last) if walk.more else None}


class _Walk:
    """Goes through the tasks of a list from (`rank`, `last` task id) on; stands behind the last one taken."""

    def __init__(self, found: Found, limit: int, rank: int, last: str) -> None:
        self.found, self.limit, self.rank, self.last = found, limit, rank, last
        self.looked, self.more = 0, False

    def page(self) -> list[Task]:
        """Up to `limit` tasks; `more` tells whether others follow, or may."""
        taken: list[Task] = []
        while self.rank < len(STATES):
            size = CHUNK if self.found.condition.tests else self.limit + 1 - len(taken)
            some = self._some(size)
            for row in some:
                if self.looked >= LOOKED_AT:
                    self.more = True
                    return taken
                self.looked += bool(self.found.condition.tests)
                if self.found.fits(row):
                    if len(taken) == self.limit:
                        self.more = True
                        return taken
                    taken.append(row)
                self.last = row.task_id
            if len(some) < size:
                self.rank, self.last = self.rank + 1, ""
        return taken

    def _some(self, size: int) -> list[Task]:
        rows = self.found.rows.filter(state=STATES[self.rank], task_id__gt=self.last).order_by("task_id")
        return list(rows[:size])


def task_rows(tasks: Sequence[Task], now: int) -> list[dict[str, Any]]:
    """Rows of these tasks of one run: dead letters marked, each open one with why it waits."""
    dead, whole = dead_among(tasks), [task_of(task) for task in tasks]
    why = reasons(whole, now)
    return [task_row(task, waiting=why.get(task.task_id), dead=task.task_id in dead) for task in whole]


def dead_among(tasks: Sequence[Task]) -> set[str]:
    """Which of these tasks of one run have an open dead letter."""
    failed = [task.task_id for task in tasks if task.state in FAILING]
    if not failed:
        return set()
    letters = DeadLetter.objects.filter(run_id=tasks[0].run_id, task_id__in=failed, state=DeadLetter.State.OPEN)
    return set(letters.values_list("task_id", flat=True))
