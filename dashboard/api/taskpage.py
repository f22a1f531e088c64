"""All that the page of one task shows: waits, error, where it came from, what else went wrong alike."""

from typing import Any, Final

from django.db.models import Min

from coordination.delays import delays
from coordination.instants import rfc3339
from coordination.lag import words
from coordination.tasks import OPEN
from coordination.tasks import Task as TaskRow
from dashboard.api.addresses import record_address, short_position, task_address
from dashboard.api.chain import chain
from dashboard.api.instants import between
from dashboard.api.queue import request_of
from dashboard.api.requestrows import title_of
from dashboard.api.signs import sign_of_state
from dashboard.models import Request, Task

MILLION: Final = 1_000_000
ALIKE: Final = 5


def pauses(task: TaskRow) -> list[dict[str, Any]]:
    """Each wait for a person, with the request it belongs to, newest first."""
    ids = [each.approval_id for each in task.pauses if each.approval_id]
    asked = {each.approval_id: title_of(request_of(each)) for each in Request.objects.filter(approval_id__in=ids)}
    return [
        {
            "reason": each.reason,
            "at": each.at,
            "resumed_at": each.resumed_at,
            "took": words(between(each.at, each.resumed_at)) if each.resumed_at else "",
            "approval_id": each.approval_id,
            "title": asked.get(each.approval_id, ""),
        }
        for each in reversed(task.pauses)
    ]


def spans(task: TaskRow, now: int) -> list[dict[str, Any]]:
    """Where the time went, phase by phase; the parts sum to the time from request to end (or now) exactly."""
    found = delays(task, now)
    shown = {"execution": "running" if task.state in OPEN else "done"}
    return [
        {
            "phase": phase,
            "sign": shown.get(phase, PHASE_SIGNS[phase]),
            "label": PHASE_LABELS[phase],
            "span": words(span),
            "share": round(100 * span / found.wall, 1),
            "width": span,
        }
        for phase, span in found.parts().items()
    ]


PHASE_SIGNS: Final = {
    "in_broker": "waiting",
    "agent_queue": "queue",
    "execution": "running",
    "retry_backoff": "retrying",
    "human_review": "human",
    "decision_returning": "returning",
    "unattributed": "unready",
}
PHASE_LABELS: Final = {
    "in_broker": "In broker",
    "agent_queue": "Agent queue",
    "execution": "Execution",
    "retry_backoff": "Retry back-off",
    "human_review": "Human review",
    "decision_returning": "Decision on its way back",
    "unattributed": "Not attributed",
}


def alike(found: Task, at: int | None = None) -> dict[str, Any] | None:
    """The same error elsewhere: how often, since when, and the latest ones, up to an instant (µs); None for a task
    without an error."""
    if not found.error_fingerprint:
        return None
    # SQLite takes the index only if the query repeats its condition.
    others = Task.objects.filter(error_fingerprint=found.error_fingerprint).exclude(error_fingerprint="")
    others = others.exclude(run_id=found.run_id, task_id=found.task_id)
    others = others if at is None else others.filter(ended_at__lte=at)
    first = others.aggregate(first=Min("ended_at"))["first"]
    latest = others.order_by("-ended_at").values_list("run_id", "task_id", "title", "ended_at")[:ALIKE]
    return {
        "count": others.count(),
        "first_at": first,
        "latest": [
            {"run_id": run_id, "name": title or task_id, "url": task_address(run_id, task_id), "at": at}
            for run_id, task_id, title, at in latest
        ],
    }


def marks(task: TaskRow) -> list[dict[str, Any]]:
    """What should not have happened to this task, with the record of each."""
    return [
        {
            "name": each.name.replace("_", " "),
            "event": each.event,
            "at": each.at,
            "position": short_position(each.topic, each.partition, each.offset),
            "url": record_address(each.topic, each.partition, each.offset),
        }
        for each in task.anomalies
    ]


def about(task: TaskRow, now: int) -> dict[str, Any]:
    """Everything above in one, for the page."""
    return {
        "sign": sign_of_state(task.state, dead=task.dead_lettered and task.state not in OPEN),
        "pauses": pauses(task),
        "spans": spans(task, now),
        "chain": chain(task),
        "anomalies": marks(task),
        "open": task.state in OPEN,
        "since": rfc3339(task.started_at or task.requested_at or now) if task.state in OPEN else None,
        "took": _took(task),
        "cost": f"{task.cost / MILLION:,.4f}" if task.cost else "",
        "command_url": record_address(task.command_topic, task.command_partition, task.command_offset),
    }


def _took(task: TaskRow) -> str:
    if task.state in OPEN:
        return ""
    took = between(task.started_at or task.requested_at, task.ended_at)
    return "unknown" if took is None else words(max(0, took))
