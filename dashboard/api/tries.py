"""The attempts of a task side by side: what each was given and made, what it called, how it ended, who else waited."""

from collections.abc import Sequence
from typing import Any, Final

from coordination.event import Event
from coordination.lag import words
from coordination.tasks import Attempt
from coordination.tasks import Task as TaskRow
from dashboard.api.addresses import address
from dashboard.api.argdiff import difference, listing
from dashboard.api.instants import between
from dashboard.api.toolcalls import calls
from dashboard.models import ConsumerGroup, GroupSnapshot

OUTCOMES: Final = {"completed": "done", "failed": "failed", "canceled": "canceled", "abandoned": "unknown"}
# A snapshot so old (µs) says nothing of the moment any more.
STALE: Final = 3_600_000_000
MILLI: Final = 1000


def tries(task: TaskRow, events: Sequence[Event], payloads: bool) -> list[dict[str, Any]]:
    """Each attempt, the newest first; what it was given only for those who may see payloads."""
    given = [_given(task, attempt, events) for attempt in task.attempts]
    made = [_made(task, attempt, events) for attempt in task.attempts]
    return [
        {
            **_facts(attempt),
            "calls": calls(_within(attempt, events, last=place == len(given) - 1)),
            "lag": lag_at(task.agent_group, attempt.started_at),
            "input": _compared(given, place) if payloads else None,
            "output": _compared(made, place) if payloads else None,
        }
        for place, attempt in reversed(list(enumerate(task.attempts)))
    ]


def _facts(attempt: Attempt) -> dict[str, Any]:
    outcome = attempt.outcome or "running"
    return {
        "number": attempt.number,
        "agent_id": attempt.agent_id,
        "accepted_at": attempt.accepted_at,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "took": words(between(attempt.started_at, attempt.ended_at)) if attempt.ended_at else "",
        "outcome": outcome,
        "sign": {
            "sign": OUTCOMES.get(attempt.outcome, "failed" if attempt.outcome else "running"),
            "label": outcome,
        },
        "error_type": attempt.error_type,
        "error_message": attempt.error_message,
        "next_attempt_at": attempt.next_attempt_at,
    }


def _within(attempt: Attempt, events: Sequence[Event], *, last: bool = False) -> list[Event]:
    """The events of an attempt: those that name it, else those that lie in its time; of the last one also later."""
    begin = attempt.started_at or attempt.accepted_at or 0
    end = None if last else attempt.ended_at or attempt.heard_at
    return [
        event
        for event in events
        if (event.attempt == attempt.number)
        or (event.attempt is None and event.at >= begin and (end is None or event.at <= end))
    ]


def _given(task: TaskRow, attempt: Attempt, events: Sequence[Event]) -> Any:
    """What an attempt says it was given, else what the command asks for."""
    started = next((event for event in events if event.id == attempt.event_id), None)
    said = getattr(started.data, "input", None) if started else None
    return task.input if said is None else said


def _made(task: TaskRow, attempt: Attempt, events: Sequence[Event]) -> Any:
    """What an attempt made: its result, and the names of what it produced on the way."""
    own = _within(attempt, events)
    named = [event.data.name or event.data.artifact_ref for event in own if event.name == "task.artifact.produced"]
    kept = [event.data.checkpoint_ref for event in own if event.name == "task.checkpointed"]
    made: dict[str, Any] = {"artifacts": named} if named else {}
    if kept:
        made["checkpoint"] = kept[-1]
    if attempt.outcome == "completed" and task.output is not None:
        made["result"] = task.output
    return made or None


def _compared(values: Sequence[Any], place: int) -> dict[str, Any]:
    """A value beside that of the attempt before, as the review page shows changes."""
    value, before = values[place], values[place - 1] if place else None
    if not place or (before is None and value is None):
        found = listing(value) if value is not None else None
        return {
            "changes": found.changes if found else (),
            "same": (),
            "more": found.more if found else 0,
            "first": True,
        }
    found = difference(before if before is not None else {}, value if value is not None else {})
    return {"changes": found.changes, "same": found.same, "more": found.more, "first": False}


def lag_at(agent_group: str, at: int | None) -> dict[str, Any] | None:
    """How many tasks waited before a group at an instant (µs), by the last poll before it; None if none is near."""
    groups = ConsumerGroup.objects.filter(agent_group=agent_group).values("group")
    if at is None or not agent_group:
        return None
    found = (
        GroupSnapshot.objects.filter(group__in=groups, taken_at__lte=at, taken_at__gt=at - STALE)
        .order_by("-taken_at")
        .first()
    )
    if found is None:
        return None
    waiting = "an unknown number of tasks" if found.waiting is None else f"{found.waiting:,} task{_s(found.waiting)}"
    oldest = f", the oldest for {words(found.age_ms * MILLI)}" if found.age_ms and found.waiting else ""
    members = "" if found.members is None else f"; {found.members} member{_s(found.members)}"
    return {
        "text": f"{waiting} waited before {agent_group}{oldest}{members}",
        "at": found.taken_at,
        "url": address("agents", agent_group),
    }


def _s(count: int) -> str:
    return "" if count == 1 else "s"
