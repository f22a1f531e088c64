"""Fan-outs as `run.workflow.events` tell them: opened, sealed, decided, and what came late.

The members are no part of this row: they are the Task rows with its id. Each fact counts once: the one with
the smallest position; a second one is an anomaly.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from coordination.anomalies import Anomaly, Mark, mark_of, note, note_at
from coordination.event import Event
from coordination.instants import micros

MAX_LATE: Final = 100


class Branch(msgspec.Struct, frozen=True, order=True, array_like=True):
    """One branch as a workflow fact names it. `outcome` is empty where none was given."""

    index: int
    task_id: str = ""
    outcome: str = ""
    event_id: str = ""


class FanOut(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What is said of one fan-out. `join` is all, any, quorum or all_settled, `quorum` the number for quorum(n);
    `expected` is None while unsealed. `verdict` is satisfied, failed or expired, empty while open.
    """

    run_id: str
    fanout_id: str
    tenant: str = ""
    parent_task_id: str = ""
    title: str = ""
    join: str = "all"
    quorum: int | None = None
    on_failure: str = ""
    deadline: int | None = None
    branches: tuple[Branch, ...] = ()
    opened_at: int | None = None
    opened_mark: Mark | None = None
    expected: int | None = None
    sealed_at: int | None = None
    sealed_mark: Mark | None = None
    verdict: str = ""
    verdict_at: int | None = None
    verdict_mark: Mark | None = None
    verdict_reason: str = ""
    causes: tuple[Branch, ...] = ()
    late: tuple[Branch, ...] = ()
    derived_times: bool = False
    anomalies: tuple[Anomaly, ...] = ()
    anomaly_count: int = 0
    revision: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """The row's key: (run_id, fanout_id)."""
        return self.run_id, self.fanout_id


Step = Callable[[FanOut, Event], None]

VERDICTS: Final = {"fanin.satisfied": "satisfied", "fanin.failed": "failed", "fanin.expired": "expired"}
_NAMES: Final = {verdict: name for name, verdict in VERDICTS.items()}


def opened(row: FanOut, event: Event) -> None:
    """fanout.opened: the rule, the deadline, the branches known so far."""
    if not _wins(row, event, row.opened_mark, row.opened_at, event.name, "opened_again"):
        return
    data = event.data
    row.opened_mark, row.opened_at = mark_of(event), event.at
    row.join, row.quorum = data.rule()
    row.on_failure = data.on_failure
    row.deadline = micros(data.deadline) if data.deadline else None
    row.title = data.title
    row.parent_task_id = event.task_id or event.parent_task_id
    row.branches = _branches(data.branches)


def sealed(row: FanOut, event: Event) -> None:
    """fanout.sealed: how many branches there are."""
    if not _wins(row, event, row.sealed_mark, row.sealed_at, event.name, "sealed_again"):
        return
    count = event.data.count
    row.sealed_mark, row.sealed_at = mark_of(event), event.at
    row.expected = event.fanout_count if count is None else count


def decided(row: FanOut, event: Event) -> None:
    """fanin.satisfied, .failed, .expired: the first one is the verdict."""
    former = _NAMES.get(row.verdict, "")
    if not _wins(row, event, row.verdict_mark, row.verdict_at, former, "decided_again"):
        return
    row.verdict_mark, row.verdict_at = mark_of(event), event.at
    row.verdict = VERDICTS[event.name]
    row.causes = _branches(event.data.causes)
    error = getattr(event.data, "error", None)
    row.verdict_reason = getattr(event.data, "reason", "") or (error.message if error else "")


def late(row: FanOut, event: Event) -> None:
    """fanin.branch.late: a branch that ended after the verdict."""
    data = event.data
    branch = Branch(data.index, data.task_id, data.outcome, data.event_id or event.id)
    row.late = tuple(sorted({*row.late, branch})[:MAX_LATE])


FANOUT_FACTS: Final[dict[str, Step]] = {
    "fanout.opened": opened,
    "fanout.sealed": sealed,
    "fanin.satisfied": decided,
    "fanin.failed": decided,
    "fanin.expired": decided,
    "fanin.branch.late": late,
}


def _wins(row: FanOut, event: Event, mark: Mark | None, at: int | None, former: str, anomaly: str) -> bool:
    if mark is None:
        return True
    if mark < mark_of(event):
        note(row, event, anomaly)
        return False
    note_at(row, mark, anomaly, former, at or 0)
    return True


def _branches(named: Iterable[Any]) -> tuple[Branch, ...]:
    return tuple(
        Branch(one.index, one.task_id, getattr(one, "outcome", ""), getattr(one, "event_id", "")) for one in named
    )
