"""Runs and folds as partial rows, one per shard, and how the parts of a run make a whole.

A run's tasks are spread over all partitions; a worker writes only the parts of its own shards, so no two
workers write one row, and counts are summed when they are read. The facts of the run itself (`run.started` …)
stand on the run's home shard. The first start and the first end of a run win, a second one is an anomaly.
Instants are microseconds since 1970 UTC, `cost` is in millionths of the currency unit.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from coordination.anomalies import Anomaly, Mark, mark_of, note, note_at
from coordination.event import Event
from coordination.events.shapes import Failure
from coordination.foldkeys import UNSTAMPED
from coordination.taskcommands import small
from coordination.tasks import FAILING, TERMINAL

MAX_FAILURES: Final = 5
MAX_FANOUTS: Final = 7


class FailedTask(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """A task that failed at least once: `failed_at` its first failure, `state` what it is now."""

    failed_at: int
    task_id: str
    state: str
    agent_group: str = ""
    parent_task_id: str = ""
    title: str = ""
    error_type: str = ""
    error_message: str = ""
    attempts: int = 0


class RunPart(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What one shard knows of a run. `counts` and `total` count the tasks of this shard by shown state,
    `events` all records; `failures` are the earliest tasks that ever failed, with their state of now.
    Calls, tokens and cost are those of its tasks, and of calls outside any task.
    The fields from `name` on come from run.* facts; `state` is empty where none was read.
    """

    run_id: str
    shard: str
    tenant: str = ""
    counts: dict[str, int] = {}
    total: int = 0
    first_at: int | None = None
    last_at: int | None = None
    events: int = 0
    unknown_events: int = 0
    tool_calls: int = 0
    model_calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: int = 0
    failures: tuple[FailedTask, ...] = ()
    derived_times: bool = False
    name: str = ""
    workflow: str = ""
    state: str = ""
    started_at: int | None = None
    start_mark: Mark | None = None
    ended_at: int | None = None
    end_mark: Mark | None = None
    error: Failure | None = None
    input: Any = None
    output: Any = None
    anomalies: tuple[Anomaly, ...] = ()
    anomaly_count: int = 0
    revision: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """The row's key: (run_id, shard)."""
        return self.run_id, self.shard


class Sample(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """One member of a fold, to read from it what the fold depends on."""

    task_id: str
    task_type: str = ""
    agent_group: str = ""
    parent_task_id: str = ""
    depends_on: tuple[str, ...] = ()
    title: str = ""


class FoldPart(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What one shard knows of a fold: alike tasks of a run, counted by shown state.

    `sample` is the member with the smallest task id, `first_at` the earliest request, `fanouts` the smallest
    ids (at most seven) of the fan-outs its members belong to. The fold with the empty key holds the tasks
    whose command was not read; it has neither sample nor first_at.
    """

    run_id: str
    fold_key: str
    shard: str
    counts: dict[str, int] = {}
    total: int = 0
    sample: Sample | None = None
    first_at: int | None = None
    fanouts: tuple[str, ...] = ()
    revision: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """The row's key: (run_id, fold_key, shard)."""
        return self.run_id, self.fold_key, self.shard

    @property
    def stamped(self) -> bool:
        """Whether its requester decided that its members are alike; else (type, group) did."""
        return not self.fold_key.startswith(UNSTAMPED) and self.fold_key != ""

    @property
    def task_type(self) -> str:
        """The type of its members; empty for the fold of unread commands."""
        return self.sample.task_type if self.sample else ""

    @property
    def agent_group(self) -> str:
        """The group its members are addressed to."""
        return self.sample.agent_group if self.sample else ""

    @property
    def title(self) -> str:
        """The title of its sample."""
        return self.sample.title if self.sample else ""


Step = Callable[[RunPart, Event], None]


def started(part: RunPart, event: Event) -> None:
    """run.started: what the run is called and what it was given."""
    mark = mark_of(event)
    if part.start_mark is not None:
        if part.start_mark < mark:
            note(part, event, "started_again")
            return
        note_at(part, part.start_mark, "started_again", event.name, part.started_at or 0)
    part.start_mark, part.started_at = mark, event.at
    part.name, part.workflow = event.data.name, event.data.workflow
    part.input = small(event.data.input)
    part.state = part.state or "working"


ENDS: Final = {"run.completed": "completed", "run.failed": "failed", "run.canceled": "canceled"}
_END_NAMES: Final = {state: name for name, state in ENDS.items()}


def ended(part: RunPart, event: Event) -> None:
    """run.completed, .failed, .canceled: the first end wins."""
    mark = mark_of(event)
    if part.end_mark is not None:
        if part.end_mark < mark:
            note(part, event, "ended_again")
            return
        note_at(part, part.end_mark, "ended_again", _END_NAMES[part.state], part.ended_at or 0)
    part.end_mark, part.ended_at = mark, event.at
    part.state = ENDS[event.name]
    part.output = small(getattr(event.data, "output", None))
    error, reason = getattr(event.data, "error", None), getattr(event.data, "reason", "")
    part.error = error or (Failure(message=reason) if reason else None)


RUN_FACTS: Final[dict[str, Step]] = {
    "run.started": started,
    "run.completed": ended,
    "run.failed": ended,
    "run.canceled": ended,
}


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A run as lists and headers show it.

    `inferred`: no fact of the run itself was read, so name, state and instants are derived from its tasks.
    `failing` counts the tasks that are failed, rejected or expired now. `first_cause` is the earliest of them
    that is known to the parts (None with `failing` > 0: ask `causes.first_cause` with the tasks).
    """

    run_id: str
    tenant: str
    name: str
    workflow: str
    state: str
    inferred: bool
    started_at: int | None
    ended_at: int | None
    first_at: int | None
    last_at: int | None
    counts: dict[str, int]
    total: int
    failing: int
    first_cause: FailedTask | None
    error: Failure | None
    events: int
    unknown_events: int
    tool_calls: int
    model_calls: int
    tokens_in: int
    tokens_out: int
    cost: int
    derived_times: bool
    anomaly_count: int


def merge_parts(parts: Iterable[RunPart], home: str = "") -> RunSummary:
    """The summary of a run from its parts (at least one). Facts on the shard `home` win over facts elsewhere,
    else the ones that ended first, else the ones that started first.
    """
    parts = sorted(parts, key=lambda part: part.shard)
    facts = min((part for part in parts if part.state), key=lambda part: _rank(part, home), default=None)
    counts = merged_counts(part.counts for part in parts)
    firsts = [part.first_at for part in parts if part.first_at is not None]
    lasts = [part.last_at for part in parts if part.last_at is not None]
    first_at, last_at = min(firsts, default=None), max(lasts, default=None)
    state = facts.state if facts else inferred_state(counts)
    started_at = facts.started_at if facts and facts.started_at is not None else first_at
    ended_at = facts.ended_at if facts else last_at if state in TERMINAL else None
    return RunSummary(
        run_id=parts[0].run_id,
        tenant=min((part.tenant for part in parts), key=tenant_rank),
        name=(facts.name if facts else "") or parts[0].run_id,
        workflow=facts.workflow if facts else "",
        state=state,
        inferred=facts is None,
        started_at=started_at,
        ended_at=ended_at,
        first_at=first_at,
        last_at=last_at,
        counts=counts,
        total=sum(counts.values()),
        failing=sum(counts.get(state, 0) for state in FAILING),
        first_cause=_first_cause(parts),
        error=facts.error if facts else None,
        derived_times=any(part.derived_times for part in parts),
        **{name: sum(getattr(part, name) for part in parts) for name in _SUMS},
    )


_SUMS: Final = (
    "events",
    "unknown_events",
    "tool_calls",
    "model_calls",
    "tokens_in",
    "tokens_out",
    "cost",
    "anomaly_count",
)


def tenant_rank(tenant: str) -> tuple[bool, bool, str]:
    """Which of several tenants a row belongs to: the smallest; `default` and none only if nobody says more."""
    return tenant == "", tenant == "default", tenant


def merged_counts(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Counts by state, summed over shards."""
    total: dict[str, int] = {}
    for one in counts:
        for state, number in one.items():
            total[state] = total.get(state, 0) + number
    return total


def inferred_state(counts: dict[str, int]) -> str:
    """The state of a run that says nothing itself: working while a task is open, else the worst of its ends."""
    if not counts:
        return "unknown"
    if not counts.keys() <= TERMINAL:
        return "requested" if counts.keys() <= {"requested", "unknown"} else "working"
    if counts.keys() & FAILING:
        return "failed"
    return "completed" if "completed" in counts else "canceled"


def _rank(part: RunPart, home: str) -> tuple[bool, bool, int, str]:
    ended = part.ended_at is not None
    return part.shard != home, not ended, (part.ended_at if ended else part.started_at) or 0, part.shard


def _first_cause(parts: Iterable[RunPart]) -> FailedTask | None:
    # A parent often fails in the same instant as its child; then the child is the cause.
    known = sorted(one for part in parts for one in part.failures if one.state in FAILING)
    first: dict[str, FailedTask] = {}
    for one in known:
        first.setdefault(one.task_id, one)
    parents = {(one.parent_task_id, one.failed_at) for one in first.values()}
    return next((one for one in first.values() if (one.task_id, one.failed_at) not in parents), None)
