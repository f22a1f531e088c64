"""Where a run's time went: its critical path across topics, ranked, and what it would have taken without a phase.

The parts sum to the run's wall time to the microsecond. Exact for runs of up to MOST tasks; of larger ones nothing
is said rather than something wrong.
"""

from collections import defaultdict
from typing import Any, Final

import msgspec

from coordination.criticalpath import CriticalPath, critical_path
from coordination.delays import delays
from coordination.fanouts import FanOut as FanOutRow
from coordination.lag import words
from coordination.tasks import Task as TaskRow
from coordination.whatif import without
from dashboard.api.addresses import task_address
from dashboard.api.instants import iso
from dashboard.api.phases import LABELS, SIGNS, millis, part_rows, shares
from dashboard.api.taskbody import DECODER
from dashboard.models import FanOut, Run, Task

MOST: Final = 20_000
RANKED: Final = 12
SLACKS: Final = 8
_fan_out = msgspec.json.Decoder(FanOutRow)


class RunTimes(msgspec.Struct, frozen=True):
    """The tasks of a run with its critical path."""

    tasks: dict[str, TaskRow]
    fan_outs: dict[str, FanOutRow]
    path: CriticalPath
    over: bool


def times_of(run: Run, now: int, most: int = MOST) -> RunTimes | None:
    """The critical path of a run until its end, or until now (µs); None for a run of more than `most` tasks."""
    start = run.started_at if run.started_at is not None else run.first_at
    if run.total > most or start is None:
        return None
    over, until = run.ended_at is not None, now if run.ended_at is None else run.ended_at
    bodies = Task.objects.filter(run_id=run.run_id).values_list("body", flat=True)
    tasks = {task.task_id: task for task in map(DECODER.decode, bodies.iterator(chunk_size=2_000))}
    rows = [_fan_out.decode(body) for body in FanOut.objects.filter(run_id=run.run_id).values_list("body", flat=True)]
    fan_outs = {row.fanout_id: row for row in rows}
    return RunTimes(tasks, fan_outs, critical_path(tasks.values(), fan_outs, start, until, over=over), over)


def delay_page(run: Run, now: int) -> dict[str, Any]:
    """The time of a run: parts by phase, ranked rows by phase and group, slack of inputs, what-if."""
    times = times_of(run, now)
    if times is None:
        return _empty(run)
    path = times.path
    parts = path.parts()
    return {
        "start": iso(path.start),
        "end": iso(path.end),
        "over": times.over,
        "wall_ms": millis(path.wall),
        "wall": words(path.wall),
        "parts": {phase: millis(length) for phase, length in parts.items()},
        "unattributed_ms": millis(parts.get("unattributed", 0)),
        "rows": part_rows(parts),
        "ranked": _ranked(times),
        "slacks": _slacks(run.run_id, times),
        "whatif": _whatif(times, parts),
        "derived": run.derived_times,
        "reason": "",
    }


def _empty(run: Run) -> dict[str, Any]:
    large = run.total > MOST
    reason = f"Only runs of up to {MOST:,} tasks are walked; this one has {run.total:,}." if large else "Nothing yet."
    empty: dict[str, Any] = {key: [] for key in ("rows", "ranked", "slacks", "whatif")}
    return empty | {"wall_ms": None, "wall": "", "parts": {}, "unattributed_ms": None, "reason": reason}


def _ranked(times: RunTimes) -> list[dict[str, Any]]:
    """Time on the path by phase and agent group, the longest first; what is beyond RANKED is one row."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    where: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in times.path.stretches:
        task = times.tasks.get(one.task_id)
        key = one.phase, task.agent_group if task else ""
        sums[key] += one.length
        where[key].add(one.task_id)
    order = sorted((key for key in sums if sums[key]), key=lambda key: (-sums[key], key))
    lengths = {key: sums[key] for key in order[:RANKED]}
    rest = sum(sums[key] for key in order[RANKED:])
    share = shares(lengths | ({("rest", ""): rest} if rest else {}))
    rows = [_ranked_row(key, lengths[key], share[key], where[key], times) for key in lengths]
    if rest:
        last = {
            "part": "",
            "sign": "none",
            "label": f"{len(order) - RANKED} more",
            "group": "",
            "tasks": "",
            "url": None,
        }
        rows.append(last | {"ms": millis(rest), "text": words(rest), "share": f"{share['rest', '']:.1f} %"})
    return rows


PLACES: Final = {"in_broker": "before", "agent_queue": "before", "decision_returning": "to"}


def _ranked_row(key: tuple[str, str], length: int, share: float, task_ids: set[str], times: RunTimes) -> dict[str, Any]:
    phase, group = key
    place = PLACES.get(phase, "in")
    known = [times.tasks[one] for one in sorted(task_ids) if one in times.tasks]
    names = sorted({task.title or task.task_type or task.task_id for task in known})
    return {
        "part": phase,
        "sign": SIGNS[phase],
        "label": LABELS[phase],
        "group": f"{place} {group}" if group else "of the run itself",
        "tasks": names[0] if len(names) == 1 else f"{len(known)} tasks" if known else "",
        "ms": millis(length),
        "text": words(length),
        "share": f"{share:.1f} %",
        "url": task_address(known[0].run_id, known[0].task_id) if len(known) == 1 else None,
    }


def _slacks(run_id: str, times: RunTimes) -> list[dict[str, Any]]:
    """The inputs that came next to last: by how much they were earlier than the one that gated."""
    return [
        {
            "task_id": one.task_id,
            "input_id": one.input_id,
            "gated_by": one.gated_by,
            "slack_ms": millis(one.slack),
            "name": _name(times, one.input_id),
            "text": words(one.slack),
            "url": task_address(run_id, one.input_id),
        }
        for one in sorted(times.path.slacks, key=lambda one: one.slack)[:SLACKS]
    ]


def _name(times: RunTimes, task_id: str) -> str:
    task = times.tasks.get(task_id)
    return (task.title or task.task_type or task_id) if task else task_id


def _whatif(times: RunTimes, parts: dict[str, int]) -> list[dict[str, Any]]:
    """What the run would have taken without each phase of its path, walked anew."""
    path, found = times.path, []
    for phase, length in sorted(parts.items(), key=lambda one: -one[1]):
        if phase in ("unattributed", "execution"):
            continue
        wall = without(times.tasks.values(), times.fan_outs, path.start, path.end, [phase], over=times.over)
        saved = max(0, path.wall - wall)
        found.append(
            {
                "part": phase,
                "label": LABELS[phase],
                "on_path_ms": millis(length),
                "wall_ms": millis(wall),
                "saved_ms": millis(saved),
                "text": words(saved),
            }
        )
    return found


def task_delays(task: TaskRow, now: int) -> dict[str, Any]:
    """The phases of one task; an open one runs until now (µs)."""
    found = delays(task, now)
    parts = found.parts()
    return {
        "task_id": task.task_id,
        "wall_ms": millis(found.wall),
        "wall": words(found.wall),
        "parts": {phase: millis(length) for phase, length in parts.items()},
        "unattributed_ms": millis(parts.get("unattributed", 0)),
        "skew_ms": millis(found.skew),
        "rows": part_rows(parts),
        "spans": [
            {"part": one.phase, "start": iso(one.start), "end": iso(one.end), "attempt": one.attempt}
            for one in found.spans
        ],
    }
