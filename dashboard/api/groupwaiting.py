"""What waits before one agent group, by run: how many, since when, and why the oldest of each do."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django.db.models import Count, Min, Q, QuerySet

from coordination.lag import words
from coordination.tasks import HUMAN
from coordination.tasks import Task as TaskRow
from dashboard.api.addresses import address, record_address, short_position, task_address
from dashboard.api.instants import iso
from dashboard.api.reasons import reasons
from dashboard.models import Run, Task

RUNS: Final = 20
EXPLAINED: Final = 8
"""Runs whose oldest tasks are explained; the others are counted."""
TASKS: Final = 5
_decode: Final = msgspec.json.Decoder(TaskRow).decode


def waiting_by_run(group: Mapping[str, Any], now: int) -> list[dict[str, Any]]:
    """The runs whose tasks wait before this group, most first; `group` is its row with its partitions."""
    tasks = waiting_tasks(group)
    found = tasks.order_by().values("run_id").annotate(count=Count("task_id"), oldest=Min("requested_at"))
    runs = list(found.order_by("-count", "run_id")[:RUNS])
    names = dict(Run.objects.filter(run_id__in=[run["run_id"] for run in runs]).values_list("run_id", "name"))
    return [
        _run(
            run, names.get(run["run_id"], ""), _explained(tasks, run["run_id"], now) if number < EXPLAINED else [], now
        )
        for number, run in enumerate(runs)
    ]


def waiting_tasks(group: Mapping[str, Any]) -> "QuerySet[Task]":
    """The tasks that wait before a group: requested, and not yet passed by its commit."""
    found = Task.objects.filter(
        agent_group=group["group"], state="requested", ended_at=None, command_partition__isnull=False
    )
    passed = Q(pk__in=[])
    for part in group.get("partitions") or []:
        if part.get("commit") is not None:
            here = {"command_topic": part["topic"], "command_partition": part["partition"]}
            passed |= Q(**here, command_offset__lt=part["commit"])
    return found.exclude(passed)


def _run(run: Mapping[str, Any], name: str, tasks: list[dict[str, Any]], now: int) -> dict[str, Any]:
    oldest = run["oldest"]
    return {
        "run_id": run["run_id"],
        "run": name or run["run_id"] or "of no run",
        "run_url": address("runs", run["run_id"]) if run["run_id"] else None,
        "waiting": run["count"],
        "oldest_at": iso(oldest),
        "oldest": words(now - oldest) if oldest is not None else "unknown",
        "tasks": tasks,
    }


def _explained(tasks: "QuerySet[Task]", run_id: str, now: int) -> list[dict[str, Any]]:
    bodies = tasks.filter(run_id=run_id).order_by("requested_at", "task_id").values_list("body", flat=True)[:TASKS]
    rows = [_decode(body) for body in bodies]
    why = reasons(rows, now)
    return [_task(row, why.get(row.task_id)) for row in rows]


def _task(row: TaskRow, why: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "task_id": row.task_id,
        "title": row.title or row.task_type or row.task_id,
        "url": task_address(row.run_id, row.task_id),
        "why": why["text"] if why else "",
        "why_url": why["link"] if why else None,
        "position": short_position(row.command_topic, row.command_partition or 0, row.command_offset or 0),
        "position_url": record_address(row.command_topic, row.command_partition, row.command_offset),
    }


def blocked_by(group: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the open tasks of a group wait for, in numbers: lag that people make is not the agent's fault."""
    open_tasks = Task.objects.filter(agent_group=group["group"], ended_at=None)
    states = dict(open_tasks.order_by().values_list("state").annotate(Count("task_id")))
    people = sum(states.get(state, 0) for state in HUMAN)
    queued = group.get("waiting") or 0
    unassigned = group.get("members") == 0
    head = next(iter(group.get("heads") or []), None)
    behind = f"queue behind {short_position(head['topic'], head['partition'], head['offset'])}" if head else "queue"
    found = [
        ("no worker" if unassigned else behind, queued),
        ("needs a person", people),
        ("retry timer", states.get("retry_wait", 0)),
        ("accepted, not started", states.get("submitted", 0)),
        ("running", states.get("working", 0)),
    ]
    return [{"reason": reason, "tasks": count} for reason, count in found if count]
