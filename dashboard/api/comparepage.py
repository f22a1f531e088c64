"""Two runs side by side as JSON: the difference by delay part, steps and tasks that differ, the overlay graph.

A run is compared with another one, or (`TYPICAL`) with the medians of the last successes of its workflow. Bounded:
a run of more than MOST tasks is not compared, and the medians are of as many runs as have AT_ONCE tasks together.
"""

from typing import Any, Final

import msgspec

from coordination.comparison import UNSUMMED, Comparison, Profile, compare, profile, typical
from coordination.lag import words
from dashboard.api.addresses import address, task_address
from dashboard.api.compareoverlay import SIGNS, overlay, step_label
from dashboard.api.delaypage import MOST, times_of
from dashboard.api.instants import iso
from dashboard.api.phases import LABELS, millis
from dashboard.api.problems import Problem
from dashboard.api.signs import sign_of_state
from dashboard.charts import waterfall_figure
from dashboard.models import Run

TYPICAL: Final = "median"
LAST: Final = 20
AT_ONCE: Final = 40_000
TASKS: Final = 200
Row = dict[str, Any]


class Side(msgspec.Struct, frozen=True):
    """One side of a comparison: its profile, and the run or runs it was made of."""

    profile: Profile
    runs: tuple[Run, ...]


def compare_page(before: str, after: str, now: int) -> Row:
    """The comparison of run `after` with run `before`, or with the typical run if that is `median`. Raises Problem
    404 for a run that is not there, 422 for one that cannot be compared."""
    right = _side(_run(after), now)
    left = _typical(right.runs[0], now) if before in ("", TYPICAL) else _side(_run(before), now)
    found = compare(left.profile, right.profile)
    return {
        "a": _about(left),
        "b": _about(right),
        "change_ms": millis(found.change),
        "change": change_words(found.change),
        "headline": _headline(found),
        "parts": [_part(one.part, one.before, one.after) for one in found.parts],
        "figure": waterfall_figure(
            found.before.wall, [(_label(one.part), one.change) for one in found.parts], found.after.wall
        ),
        "counts": _counts(found),
        "graph": overlay(found),
        "steps": [_step(change, found) for change in found.steps],
        "tasks": [_task(change, left, right) for change in found.tasks[:TASKS]],
        "tasks_more": max(0, len(found.tasks) - TASKS),
        "candidates": candidates(right.runs[0]),
    }


def candidates(run: Run) -> list[Row]:
    """The runs that a run may be compared with: the typical one, then the last ones of its workflow."""
    others = Run.objects.filter(workflow=run.workflow).exclude(run_id=run.run_id).order_by("-first_at")
    rows = [{"run_id": TYPICAL, "label": f"median of the last {LAST} successes"}] if run.workflow else []
    return rows + [
        {"run_id": one.run_id, "label": f"{one.name or one.run_id}, {one.state}, {iso(one.first_at) or ''}"}
        for one in (others[:LAST] if run.workflow else ())
    ]


def change_words(microseconds: int) -> str:
    """A change of a duration in words: `+3 m 20 s`, `-0.4 s`, `no change`."""
    if microseconds == 0:
        return "no change"
    return f"{'+' if microseconds > 0 else '−'}{words(abs(microseconds))}"


def _run(run_id: str) -> Run:
    found = Run.objects.filter(run_id=run_id).first()
    if found is None:
        raise Problem(404, "not_found", f"No run {run_id} has been read, or it has been pruned.")
    return found


def _side(run: Run, now: int) -> Side:
    times = times_of(run, now)
    if times is None:
        many = f"it has {run.total:,} tasks, and runs of up to {MOST:,} are compared"
        reason = many if run.total > MOST else "nothing of it has a time yet"
        raise Problem(422, "not_comparable", f"Run {run.run_id} cannot be compared: {reason}.")
    return Side(profile(times.tasks.values(), times.path), (run,))


def _typical(run: Run, now: int) -> Side:
    past = Run.objects.filter(workflow=run.workflow, state="completed").exclude(run_id=run.run_id)
    sides: list[Side] = []
    tasks = 0
    for one in past.order_by("-first_at")[:LAST] if run.workflow else ():
        tasks += one.total
        if sides and tasks > AT_ONCE:
            break
        if one.total <= MOST and one.first_at is not None:
            sides.append(_side(one, now))
    if not sides:
        name = f"of workflow {run.workflow}" if run.workflow else "to compare with, because it names no workflow"
        raise Problem(422, "nothing_typical", f"Run {run.run_id}: there is no other success {name}. Name a run.")
    return Side(typical([side.profile for side in sides]), tuple(side.runs[0] for side in sides))


def _about(side: Side) -> Row:
    first = side.runs[0]
    many = side.profile.runs > 1
    return {
        "run_id": TYPICAL if many else first.run_id,
        "runs": [run.run_id for run in side.runs],
        "name": f"median of {len(side.runs)} successes" if many else first.name or first.run_id,
        "workflow": first.workflow,
        "url": None if many else address("runs", first.run_id),
        "sign": sign_of_state("completed" if many else first.state),
        "started_at": None if many else iso(first.started_at),
        "wall_ms": millis(side.profile.wall),
        "wall": words(side.profile.wall),
        "tasks": sum(step.tasks for step in side.profile.steps.values()),
        "derived_times": any(run.derived_times for run in side.runs),
    }


def _headline(found: Comparison) -> str:
    """What was different this time, in one sentence."""
    if found.change == 0:
        return "Both took the same time."
    longer = found.change > 0
    most = max(found.parts, key=lambda one: one.change if longer else -one.change)
    part = f": most of it {_label(most.part).lower()}, {change_words(most.change)}" if most.change else ""
    return f"{words(abs(found.change))} {'longer' if longer else 'shorter'}{part}."


def _counts(found: Comparison) -> list[Row]:
    kinds: dict[str, int] = {}
    for change in found.steps:
        kinds[change.status] = kinds.get(change.status, 0) + 1
    return [{"status": status, "sign": SIGNS[status], "count": kinds[status]} for status in SIGNS if kinds.get(status)]


def _label(part: str) -> str:
    return "Medians do not add up" if part == UNSUMMED else LABELS[part]


def _part(part: str, before: int, after: int) -> Row:
    return {
        "part": part,
        "label": _label(part),
        "a_ms": millis(before),
        "b_ms": millis(after),
        "change_ms": millis(after - before),
        "a": words(before) if before >= 0 else change_words(before),
        "b": words(after) if after >= 0 else change_words(after),
        "change": change_words(after - before),
    }


def _step(change: Any, found: Comparison) -> Row:
    before, after = change.before, change.after
    return {
        "id": "/".join(change.path),
        "label": step_label(change.path),
        "agent_group": (after or before).agent_group,
        "status": change.status,
        "sign": {"sign": SIGNS[change.status], "label": change.status},
        "tasks_a": before.tasks if before else 0,
        "tasks_b": after.tasks if after else 0,
        "failed_a": before.failed if before else 0,
        "failed_b": after.failed if after else 0,
        "typical_a_ms": millis(before.typical) if before else None,
        "typical_b_ms": millis(after.typical) if after else None,
        "typical_a": words(before.typical) if before else "",
        "typical_b": words(after.typical) if after else "",
        "change_ms": millis(change.change),
        "change": change_words(change.change) if before and after else change.status,
    }


def _task(change: Any, left: Side, right: Side) -> Row:
    shown, side = (change.after, right) if change.after else (change.before, left)
    return {
        "id": f"{'/'.join(change.path)} {change.name}",
        "step": step_label(change.path),
        "name": shown.title if shown.title != change.name else change.name,
        "place": change.name,
        "status": change.status,
        "sign": {"sign": SIGNS[change.status], "label": change.status},
        "task_a": change.before.task_id if change.before else None,
        "task_b": change.after.task_id if change.after else None,
        "a": words(change.before.wall) if change.before else "",
        "b": words(change.after.wall) if change.after else "",
        "change_ms": millis(change.change),
        "change": change_words(change.change) if change.before and change.after else "",
        "url": task_address(side.runs[0].run_id, shown.task_id),
    }
