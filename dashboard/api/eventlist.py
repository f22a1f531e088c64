"""Events as rows: of a run in the order they were read, of a task in log order, one page at a time.

A page of a run unpacks only the segments it shows, so the last page of a long run costs what the first one does.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from coordination.event import Event
from coordination.eventlog import StoredRecord
from coordination.tasks import TRANSITIONS
from dashboard.api.addresses import record_address, short_position, task_address
from dashboard.api.errorline import error_line
from dashboard.api.instants import iso
from dashboard.api.paging import cursor, page, position
from dashboard.api.signs import Sign, sign_of_state
from dashboard.events import decoded, events_of_task
from dashboard.models import Segment
from dashboard.segments import unpack

PLAIN: Final[Sign] = {"sign": "none", "label": "no change of state"}


def event_row(event: Event) -> dict[str, Any]:
    """One event without what it carries."""
    return {
        "kind": "event",
        "id": event.id,
        "revision": event.offset,
        "order": [event.at, event.topic, event.partition, event.offset],
        "topic": event.topic,
        "partition": event.partition,
        "offset": event.offset,
        "position": short_position(event.topic, event.partition, event.offset),
        "url": record_address(event.topic, event.partition, event.offset),
        "source": event.source,
        "type": event.type,
        "name": event.name,
        "known": event.known,
        "sign": event_sign(event),
        "time": iso(event.time),
        "at": iso(event.at),
        "run_id": event.run_id,
        "task_id": event.task_id,
        "task_url": task_address(event.run_id, event.task_id) if event.task_id and event.run_id else None,
        "agent_id": event.agent_id,
        "attempt": event.attempt,
        "sequence": event.sequence,
        "derived": event.derived,
        "causation_id": event.causation_id,
        "flags": list(event.flags),
        "inferred": list(event.inferred),
        "note": event_note(event),
    }


def event_sign(event: Event) -> Sign:
    """The sign of the state that an event leads to, if it leads to one."""
    if event.name == "task.requested":
        return sign_of_state("requested")
    transition = TRANSITIONS.get(event.name)
    if transition is not None and transition.target:
        return sign_of_state(transition.target)
    return sign_of_state("failed") if event.name.endswith(".failed") else PLAIN


def event_note(event: Event) -> str:
    """What an event says in one line, as far as every reader may know it: reasons, errors, names of tools."""
    data = event.data
    error = getattr(data, "error", None)
    if error is not None:
        return error_line(error.type, error.message)
    for field in ("reason", "tool_name", "model", "step", "decision", "title"):
        text = getattr(data, field, "")
        if isinstance(text, str) and text:
            return text
    return ""


def run_events(
    run_id: str, after: str | None, limit: int, vector: Mapping[tuple[str, int], int] | None = None
) -> dict[str, Any]:
    """One page of a run's events, in the order they were read: in offset order within each partition. `vector` holds
    the next offset of each partition at a position, to leave out what comes after it."""
    key = position(after, 2) or [0, -1]
    found: list[tuple[int, int, StoredRecord]] = []
    rows = Segment.objects.filter(run_id=run_id, id__gte=int(key[0])).order_by("id")
    for segment, dictionary, blob in rows.values_list("id", "dictionary_id", "blob").iterator(chunk_size=20):
        first = int(key[1]) + 1 if segment == key[0] else 0
        records = unpack(dictionary, bytes(blob))
        found += [
            (segment, place, record)
            for place, record in enumerate(records)
            if place >= first and (vector is None or record.offset < vector.get((record.topic, record.partition), 0))
        ]
        if len(found) > limit:
            break
    following = cursor(*found[limit - 1][:2]) if len(found) > limit else None
    shown = found[:limit]
    return {"items": _rows(record for _, _, record in shown), "next": following}


def _rows(records: Iterable[StoredRecord]) -> list[dict[str, Any]]:
    return [event_row(event) for event in decoded(records)]


def task_events(run_id: str, task_id: str, after: str | None, limit: int) -> dict[str, Any]:
    """One page of a task's events in log order."""
    events = events_of_task(run_id, task_id)
    key = position(after, 1)
    begin = int(key[0]) if key else 0
    shown = [event_row(event) for event in events[begin : begin + limit + 1]]
    return page(shown, limit, cursor(begin + limit))
