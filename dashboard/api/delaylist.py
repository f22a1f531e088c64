"""Where the time of a run went: its critical path, the parts that sum to its wall time, what nearly gated it."""

from typing import Any, Final

import msgspec

from coordination.criticalpath import CriticalPath, critical_path
from coordination.delays import PHASES
from coordination.fanouts import FanOut as FanOutRow
from coordination.tasks import Task as TaskRow
from coordination.whatif import without
from dashboard.api.addresses import task_address
from dashboard.api.instants import iso
from dashboard.api.problems import Problem
from dashboard.api.taskbody import DECODER
from dashboard.models import FanOut, Run, Task

FAN_OUTS: Final = msgspec.json.Decoder(FanOutRow)
# Every task of the run is walked. Beyond this the answer would take longer than anybody waits.
MOST: Final = 50_000
SLACKS: Final = 50
WHAT_IF: Final = ("in_broker", "agent_queue", "retry_backoff", "human_review")


def delay_row(run: Run, now: int) -> dict[str, Any]:
    """The delays of one run until its end, or until now. Raises Problem 422 for a run of more than 50,000 tasks."""
    if run.total > MOST:
        raise Problem(422, "too_many_tasks", f"The run has {run.total:,} tasks; delays are told up to {MOST:,}.")
    start = run.started_at if run.started_at is not None else run.first_at
    if start is None:
        return _empty()
    over = run.ended_at is not None
    until = run.ended_at if run.ended_at is not None else now
    tasks, fan_outs = _tasks(run.run_id), _fan_outs(run.run_id)
    path = critical_path(tasks, fan_outs, start, until, over=over)
    parts = path.parts()
    names = {task.task_id: task.title or task.task_type or task.task_id for task in tasks}
    return {
        "start_at": iso(path.start),
        "end_at": iso(path.end),
        "wall_ms": _ms(path.wall),
        "parts": {phase: _ms(parts[phase]) for phase in PHASES if phase in parts},
        "critical_path": _stretches(run.run_id, path, names),
        "unattributed_ms": _ms(parts.get("unattributed", 0)),
        "slacks": [
            {"task_id": each.task_id, "input_id": each.input_id, "gated_by": each.gated_by, "slack_ms": _ms(each.slack)}
            for each in path.slacks[:SLACKS]
        ],
        "without": {
            phase: _ms(path.wall - without(tasks, fan_outs, start, until, {phase}, over=over))
            for phase in WHAT_IF
            if phase in parts
        },
    }


def _empty() -> dict[str, Any]:
    return {
        "start_at": None,
        "end_at": None,
        "wall_ms": 0.0,
        "parts": {},
        "critical_path": [],
        "unattributed_ms": 0.0,
        "slacks": [],
        "without": {},
    }


def _ms(microseconds: int) -> float:
    """Milliseconds, exact to the microsecond."""
    return round(microseconds / 1000, 3)


def _tasks(run_id: str) -> list[TaskRow]:
    bodies = Task.objects.filter(run_id=run_id).values_list("body", flat=True)
    return [DECODER.decode(body) for body in bodies.iterator(chunk_size=2_000)]


def _fan_outs(run_id: str) -> dict[str, FanOutRow]:
    rows = map(FAN_OUTS.decode, FanOut.objects.filter(run_id=run_id).values_list("body", flat=True))
    return {row.fanout_id: row for row in rows}


def _stretches(run_id: str, path: CriticalPath, names: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "task_id": each.task_id,
            "name": names.get(each.task_id, "") or "the run itself",
            "url": task_address(run_id, each.task_id) if each.task_id else None,
            "part": each.phase,
            "ms": _ms(each.length),
            "start_at": iso(each.start),
            "attempt": each.attempt,
        }
        for each in path.stretches
    ]
