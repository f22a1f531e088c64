"""A workflow over its last runs: how long they took, how they failed, what they cost; and which step failed when."""

from collections import defaultdict
from typing import Any, Final

from django.db.models import Count, Max, Q

from coordination.lag import words
from coordination.runs import merged_counts
from coordination.tasks import FAILING
from dashboard.api.addresses import address
from dashboard.api.foldlist import DECODER
from dashboard.api.holds import run_sign
from dashboard.api.instants import iso
from dashboard.api.problems import Problem
from dashboard.api.signs import bar, worst
from dashboard.charts import TrendPoint, trend_figure
from dashboard.models import FoldPart, Run

LAST: Final = 50
COLUMNS: Final = 30
STEPS: Final = 60
SECOND: Final = 1_000_000
MILLION: Final = 1_000_000
Row = dict[str, Any]


def workflow_rows() -> list[Row]:
    """The workflows there are, the one that ran last first: runs, failed runs, live runs."""
    ended = ("completed", "failed", "canceled")
    found = (
        Run.objects.exclude(workflow="")
        .values("workflow")
        .annotate(
            runs=Count("run_id"),
            failed=Count("run_id", filter=Q(state="failed")),
            live=Count("run_id", filter=~Q(state__in=ended)),
            last_at=Max("first_at"),
        )
        .order_by("-last_at")[:200]
    )
    return [row | {"last_at": iso(row["last_at"]), "url": address("workflows", row["workflow"])} for row in found]


def workflow_page(workflow: str, last: int = LAST) -> Row:
    """Trend and run × step matrix of the last runs, oldest first. Raises Problem 404 where there is none."""
    runs = list(Run.objects.filter(workflow=workflow).order_by("-first_at", "-run_id")[:last])[::-1]
    if not runs:
        raise Problem(404, "not_found", f"No run of workflow {workflow} has been read, or all have been pruned.")
    points = [_point(run) for run in runs]
    return {
        "workflow": workflow,
        "runs": [_run(run, point) for run, point in zip(runs, points, strict=True)],
        "figures": {name: trend_figure(points, name) for name in ("duration", "failures", "tokens", "cost")},
        "matrix": matrix(runs[-COLUMNS:]),
        "summary": _summary(points),
    }


def matrix(runs: list[Run]) -> Row:
    """Which step of which run stood how: rows are steps (type and agent) as first seen, columns the runs. A cell is
    never greener than its worst task."""
    cells: dict[tuple[str, str], dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    first: dict[tuple[str, str], int] = {}
    bodies = FoldPart.objects.filter(run_id__in=[run.run_id for run in runs]).values_list("run_id", "body")
    begun = {run.run_id: run.first_at or 0 for run in runs}
    for run_id, body in bodies.iterator(chunk_size=2_000):
        part = DECODER.decode(body)
        if part.sample is None:
            continue
        step = part.task_type or part.title or "task", part.agent_group
        cells[step][run_id].append(part)
        since = max(0, (part.first_at or begun[run_id]) - begun[run_id])
        first[step] = min(first.get(step, since), since)
    order = sorted(cells, key=lambda step: (first[step], step))
    return {
        "columns": [{"run_id": run.run_id, "name": run.name, "url": address("runs", run.run_id)} for run in runs],
        "rows": [
            {
                "step": step[0],
                "agent_group": step[1],
                "cells": [_cell(run, cells[step].get(run.run_id)) for run in runs],
            }
            for step in order[:STEPS]
        ],
        "more": max(0, len(order) - STEPS),
    }


def _cell(run: Run, parts: list[Any] | None) -> Row:
    if not parts:
        return {"sign": "", "text": "not in this run", "url": None, "failed": 0, "total": 0}
    counts = merged_counts(part.counts for part in parts)
    segments = bar(counts)
    total, failed = sum(counts.values()), sum(counts.get(state, 0) for state in FAILING)
    said = ", ".join(f"{count:,} {name}" for name, count in segments)
    return {
        "sign": worst(segments),
        "text": f"{run.name or run.run_id}: {said}",
        "url": address("runs", run.run_id) + (f"?fold={parts[0].fold_key}" if len(parts) == 1 else ""),
        "failed": failed,
        "total": total,
    }


def _point(run: Run) -> TrendPoint:
    began = run.started_at if run.started_at is not None else run.first_at
    took = run.ended_at - began if run.ended_at is not None and began is not None else None
    return TrendPoint(
        run_id=run.run_id,
        name=run.name or run.run_id,
        at=run.first_at or 0,
        state=run.state,
        seconds=None if took is None else max(0, took) / SECOND,
        failures=sum(run.counts.get(state, 0) for state in FAILING),
        tokens=run.tokens,
        cost=run.cost / MILLION,
    )


def _run(run: Run, point: TrendPoint) -> Row:
    return {
        "run_id": run.run_id,
        "name": point.name,
        "url": address("runs", run.run_id),
        "state": run.state,
        "sign": run_sign(run),
        "started_at": iso(run.started_at if run.started_at is not None else run.first_at),
        "seconds": point.seconds,
        "took": "" if point.seconds is None else words(int(point.seconds * SECOND)),
        "tasks": run.total,
        "failed_tasks": point.failures,
        "tokens": run.tokens,
        "cost": point.cost,
    }


def _summary(points: list[TrendPoint]) -> Row:
    ended = [point for point in points if point.state in ("completed", "failed", "canceled")]
    took = sorted(point.seconds for point in ended if point.seconds is not None and point.state == "completed")
    failed = sum(point.state == "failed" for point in ended)
    return {
        "runs": len(points),
        "failed": failed,
        "share": f"{100 * failed / len(ended):.0f} %" if ended else "",
        "median": words(int(took[len(took) // 2] * SECOND)) if took else "",
    }
