"""Events as rows: of a run in the order they were read, of a task in log order, one page at a time.

A page of a run unpacks only the segments it shows, so the last page of a long run costs what the first one does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from coordination.event import Event
from coordination.eventlog import StoredRecord
from coordination.tasks import TRANSITIONS
from dashboard.api.addresses import record_address, short_position, task_address
from dashboard.api.errorline import error_line
from dashboard.api.instants import iso
from dashboard.api.paging import cursor, page, position
from dashboard.api.signs import Sign, sign_of_state
from dashboard.events import decoded, events_of_task
from dashboard.hiding import hidden
from dashboard.models import Segment
from dashboard.policies import rules
from dashboard.segments import unpack

Row = dict[str, Any]
Vector = Mapping[tuple[str, int], int]
"""The next offset of each partition at a position."""
Placed = TypeVar("Placed", Event, StoredRecord)
LOOKED_AT: Final = 20_000
PLAIN: Final[Sign] = {"sign": "none", "label": "no change of state"}


def event_row(event: Event) -> Row:
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
    run_id: str,
    after: str | None,
    limit: int,
    vector: Vector | None = None,
    test: Callable[[Event], bool] | None = None,
) -> Row:
    """One page of a run's events, in the order they were read: in offset order within each partition; with a `vector`
    without what comes after it.

    With a `test` the page holds those that pass; it looks at LOOKED_AT records at most, and the cursor goes on there.
    """
    key = position(after, int, int) or [0, -1]
    taken: list[Event] = []
    masks = rules()
    last, looked = [int(key[0]), int(key[1])], 0
    for segment, place, record in _records_behind(run_id, last, vector):
        if len(taken) == limit or looked == LOOKED_AT:
            return {"items": [event_row(event) for event in taken], "next": cursor(*last)}
        found = [hidden(event, masks, whole=True) for event in decoded([record])]
        taken += [event for event in found if test is None or test(event)]
        last, looked = [segment, place], looked + (test is not None)
    return {"items": [event_row(event) for event in taken], "next": None}


def up_to(placed: Iterable[Placed], vector: Vector | None) -> list[Placed]:
    """What lies at or before a position; everything, where there is none."""
    return [one for one in placed if not _later(one, vector)]


def _later(one: Event | StoredRecord, vector: Vector | None) -> bool:
    return vector is not None and one.offset >= vector.get((one.topic, one.partition), 0)


def _records_behind(run_id: str, last: list[int], vector: Vector | None) -> Iterator[tuple[int, int, StoredRecord]]:
    """The records of a run behind (segment, place), each with where it stands."""
    rows = Segment.objects.filter(run_id=run_id, id__gte=last[0]).order_by("id")
    first, behind = last
    for segment, dictionary, blob in rows.values_list("id", "dictionary_id", "blob").iterator(chunk_size=20):
        for place, record in enumerate(unpack(dictionary, bytes(blob))):
            if (segment != first or place > behind) and not _later(record, vector):
                yield segment, place, record


def task_events(
    run_id: str,
    task_id: str,
    after: str | None,
    limit: int,
    vector: Vector | None = None,
    test: Callable[[Event], bool] | None = None,
) -> Row:
    """One page of a task's events in log order, up to a `vector` as for a run; with a `test` those that pass."""
    found = up_to(events_of_task(run_id, task_id), vector)
    events = [event for event in found if test is None or test(event)]
    key = position(after, int)
    begin = max(0, key[0]) if key else 0
    shown = [event_row(event) for event in events[begin : begin + limit + 1]]
    return page(shown, limit, cursor(begin + limit))
