"""Cascades: how many first causes a failed run has, and what each of them blocks.

Only tasks that are not done are looked at, and those that redid one: what succeeded neither caused nor hangs. A run
that does not change is judged once and remembered; a large one that is still changing is not judged for a list.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any, Final

import msgspec
from django.db.models import Q

from coordination.causes import Cause, causes
from dashboard.api.taskbody import DECODER
from dashboard.models import Run, Task

REMEMBERED: Final = 400
# Tasks without success of one run that a list looks at, and that the page of one task looks at.
LISTED: Final = 3_000
SEARCHED: Final = 100_000


class Cascade(msgspec.Struct, frozen=True):
    """The first causes of a run, earliest first; a task that several block is counted for the earliest."""

    causes: tuple[Cause, ...] = ()

    @property
    def first(self) -> Cause | None:
        """The failure that began it."""
        return self.causes[0] if self.causes else None

    @property
    def blocked(self) -> int:
        """Tasks that hang on a cause."""
        return sum(len(cause.blocked) for cause in self.causes)

    def origin_of(self, task_id: str) -> Cause | None:
        """The cause that a task is, or hangs on."""
        return next((one for one in self.causes if task_id == one.task_id or task_id in one.blocked), None)

    @property
    def words(self) -> str:
        """`1 cause, 214 blocked`."""
        many = len(self.causes)
        return f"{many:,} cause{'' if many == 1 else 's'}, {self.blocked:,} blocked"


Key = tuple[str, int, int]
_known: "OrderedDict[Key, Cascade]" = OrderedDict()
_lock: Final = Lock()


def cascade_of(run: Run, most: int = SEARCHED) -> Cascade | None:
    """The cascade of a run as it stands; None where more than `most` tasks would be looked at."""
    key: Key = (run.run_id, run.revision, run.events)
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]
    # SQLite takes the index of retries only if the query repeats its condition.
    rows = Task.objects.filter(~Q(state="completed") | ~Q(retry_of=""), run_id=run.run_id)
    bodies = list(rows.values_list("body", flat=True)[: most + 1])
    if len(bodies) > most:
        return None
    found = Cascade(tuple(causes(map(DECODER.decode, bodies))))
    with _lock:
        _known[key] = found
        while len(_known) > REMEMBERED:
            _known.popitem(last=False)
    return found


def forget() -> None:
    """Forget what was judged: the tables were replaced by others, in which a revision means something else."""
    with _lock:
        _known.clear()


def cascades(runs: Iterable[Run]) -> Mapping[str, Cascade]:
    """The cascades of those of these runs that have a first cause."""
    found: dict[str, Any] = {}
    for run in runs:
        if run.first_cause:
            found[run.run_id] = cascade_of(run, LISTED if run.ended_at is None else SEARCHED)
    return {run_id: cascade for run_id, cascade in found.items() if cascade is not None and cascade.causes}


def cause_fields(cause: Cause) -> dict[str, Any]:
    """A cause with the fields of `coordination.runs.FailedTask`, as a run's summary keeps its first one."""
    return {
        "task_id": cause.task_id,
        "title": cause.title,
        "agent_group": cause.agent_group,
        "state": cause.state,
        "failed_at": cause.at,
        "error_type": cause.error_type,
        "error_message": cause.error_message,
        "attempts": cause.attempts,
    }
