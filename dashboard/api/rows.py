"""The JSON rows: one shape each for API, live deltas and the first load of pages.

Every row has `kind`, `id`, `revision` (newer wins) and `order` (small first), the fields of the API, and what
the page needs to draw itself without computing: a sign, the segments of the state bar, sentences, addresses.
Instants are RFC 3339 UTC. A field that the caller does not know is left out, so that a delta never erases what
a fuller row has said.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from coordination.lag import words
from coordination.runs import RunPart
from coordination.tasks import FAILING, OPEN, Attempt, Task
from dashboard.api.addresses import address, short_position, task_address
from dashboard.api.cascades import Cascade, cause_fields
from dashboard.api.errorline import error_line
from dashboard.api.holds import blocked_tasks, hold, run_sign
from dashboard.api.instants import between, iso
from dashboard.api.requestrows import request_row
from dashboard.api.signs import bar, sign_of_state, worst
from dashboard.models import Run

__all__ = ["fold_row", "join_row", "request_row", "run_row", "task_row"]

Row = dict[str, Any]
# So many inputs of a task are named in a row; its record names all of them.
INPUTS: Final = 2_000
TASK_RANK: Final = {
    "failed": 0,
    "human": 1,
    "retrying": 2,
    "running": 3,
    "waiting": 4,
    "unknown": 5,
    "canceled": 6,
    "done": 7,
}


def _attempt(attempt: Attempt) -> Row:
    return {
        "number": attempt.number,
        "agent_id": attempt.agent_id,
        "accepted_at": iso(attempt.accepted_at),
        "started_at": iso(attempt.started_at),
        "ended_at": iso(attempt.ended_at),
        "outcome": attempt.outcome,
        "error": _error(attempt.error_type, attempt.error_message),
        "next_attempt_at": iso(attempt.next_attempt_at),
    }


def _error(kind: str, message: str) -> Row | None:
    return {"type": kind, "message": message} if kind or message else None


def task_row(task: Task, *, waiting: Mapping[str, Any] | None = None, dead: bool = False) -> Row:
    """One task. `waiting` is its reason {reason, text, link} where the caller asked for it, `dead`: its command
    lies in a dead letter topic, as far as the caller knows (the agent may have said so too)."""
    sign = sign_of_state(task.state, dead=(dead or task.dead_lettered) and task.state in FAILING)
    rank = TASK_RANK.get(sign_of_state(task.state)["sign"], 5)
    row: Row = {
        "kind": "task",
        "id": task.task_id,
        "revision": task.revision,
        "order": [rank, task.requested_at or task.started_at or 0, task.task_id],
        "run_id": task.run_id,
        "task_id": task.task_id,
        "url": task_address(task.run_id, task.task_id),
        "name": task.title or task.task_type or task.task_id,
        "parent_task_id": task.parent_task_id,
        "depends_on": list(task.depends_on[:INPUTS]),
        "depends_on_count": len(task.depends_on),
        "task_type": task.task_type,
        "title": task.title,
        "agent_group": task.agent_group,
        "agent_id": task.agent_id,
        "fold_key": task.fold_key,
        "fanout_id": task.fanout_id,
        "fanout_index": task.fanout_index,
        "state": task.state,
        "sign": sign,
        "attempt": task.attempt,
        "attempts": [_attempt(each) for each in task.attempts],
        "requested_at": iso(task.requested_at),
        "started_at": iso(task.started_at),
        "ended_at": iso(task.ended_at),
        "derived_times": task.derived_times,
        "error": _error(task.error.type, task.error.message) if task.error else None,
        "error_line": error_line(task.error.type, task.error.message) if task.error else "",
        "anomalies": [
            {
                "name": each.name,
                "event": each.event,
                "position": short_position(each.topic, each.partition, each.offset),
            }
            for each in task.anomalies
        ],
        **_time_of(task),
    }
    if waiting is not None or task.state not in OPEN:
        row["waiting"] = dict(waiting) if waiting else None
    return row


def _time_of(task: Task) -> Row:
    """How long it took, or since when it is as it is: `since` ticks in the browser, `took` stands."""
    if task.state in OPEN:
        paused = task.pauses[-1].at if task.pauses and task.pauses[-1].resumed_at is None else None
        since = paused if task.state in ("input_required", "auth_required") and paused else None
        return {"since": iso(since or task.started_at or task.requested_at), "took": None}
    took = between(task.started_at or task.requested_at, task.ended_at)
    return {"since": None, "took": None if took is None else words(max(0, took))}


def run_row(run: Run, *, asks: Mapping[str, Any] | None = None, cascade: Cascade | None = None) -> Row:
    """One run as the summary has it. `asks` are its open approvals {count, title, since}, where asked for; without
    a `cascade` the first cause and what it blocks are those of the summary."""
    cause = cause_fields(cascade.first) if cascade and cascade.first else run.first_cause or {}
    blocked = blocked_tasks(run)
    segments = bar(run.counts, blocked=blocked)
    done = sum(count for name, count in segments if name == "done")
    began = run.started_at if run.started_at is not None else run.first_at
    took = between(began, run.ended_at)
    return {
        "kind": "run",
        "id": run.run_id,
        "revision": run.revision,
        "order": [-(run.first_at or 0), run.run_id],
        "run_id": run.run_id,
        "tenant": run.tenant,
        "url": address("runs", run.run_id),
        "name": run.name or run.workflow or run.run_id,
        "workflow": run.workflow,
        "state": run.state or "working",
        "sign": run_sign(run),
        "bar": segments,
        "done": done,
        "total": run.total,
        "tally": f"{done:,} / {run.total:,}",
        "outcome": outcome(run, blocked, cascade),
        "hold": hold(run, asks, cause),
        "started_at": iso(began),
        "ended_at": iso(run.ended_at),
        "since": None if run.ended_at is not None else iso(began),
        "took": None if took is None else words(max(0, took)),
        "counts": run.counts,
        "events": run.events,
        "tokens": run.tokens,
        "cost": run.cost,
        "derived_times": run.derived_times,
        "first_cause": cause_row(cause, len(cascade.causes[0].blocked) if cascade else blocked) if cause else None,
        **({"causes": len(cascade.causes), "blocked": cascade.blocked} if cascade else {}),
    }


def cause_row(cause: Mapping[str, Any], blocked: int) -> Row:
    """The first cause of a run's failure as the API gives it; `blocked` are the tasks that hang on it."""
    return {
        "task_id": cause.get("task_id", ""),
        "title": cause.get("title", ""),
        "agent_group": cause.get("agent_group", ""),
        "error": {"type": cause.get("error_type", ""), "message": cause.get("error_message", "")},
        "attempts": cause.get("attempts", 0),
        "blocked": blocked,
    }


def outcome(run: Run, blocked: int, cascade: Cascade | None = None) -> str:
    """The word at the right under the state bar: the state, or how far a failure reaches."""
    sign = run_sign(run)
    if cascade and sign["sign"] == "failed" and (cascade.blocked or len(cascade.causes) > 1):
        return cascade.words
    return f"{blocked:,} blocked" if blocked and not cascade else sign["label"]


def run_part_row(part: RunPart) -> Row:
    """The home part's facts of a run, for its page: name, workflow, input and error as they were sent."""
    return {"name": part.name, "workflow": part.workflow, "input": part.input, "error": part.error}


def fold_row(fold: Any, *, revision: int = 0) -> Row:
    """One fold of a run: `fold` has fold_key, task_type, agent_group, counts, total, stamped, sample, first_at."""
    segments = bar(fold.counts)
    done = sum(count for name, count in segments if name == "done")
    name = worst(segments)
    return {
        "kind": "fold",
        "id": fold.fold_key,
        "revision": revision,
        "order": [fold.first_at or 0, fold.fold_key],
        "url": f"?fold={quote(fold.fold_key, safe='')}",
        "label": fold.task_type or "commands not read yet",
        "agent_group": fold.agent_group,
        "stamped": fold.stamped,
        "counts": fold.counts,
        "bar": segments,
        "done": done,
        "total": fold.total,
        "tally": f"{done:,} / {fold.total:,}",
        "sign": {"sign": name, "label": name},
    }


def join_row(join: Mapping[str, Any]) -> Row:
    """One join: the judgement of `coordination.joins` as it stands, with what lists need."""
    return {"kind": "join", "id": join["fanout_id"], **join}
