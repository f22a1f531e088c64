"""The query line of events and of agent groups: asked of what was read or polled, not of a table."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from coordination.event import Event
from coordination.query import Op, Term, compared, like
from coordination.subjects import EVENTS, GROUPS
from dashboard.api.condition import names, terms_of
from dashboard.api.errorline import error_line


def event_test(line: str, now: int) -> Callable[[Event], bool] | None:
    """Whether an event is what a line asks for at `now` (µs); None if it asks for nothing. Raises Problem 400."""
    terms = terms_of(line, EVENTS)
    if not terms:
        return None
    return lambda event: all(_EVENT[term.key](term, event, now) != term.negated for term in terms)


def _one_of(term: Term, *values: str) -> bool:
    return any(like(one, value) for one in term.words for value in values)


def _error(event: Event) -> str:
    error = getattr(event.data, "error", None)
    return error_line(error.type, error.message) if error else str(getattr(event.data, "reason", "") or "")


def _text(term: Term, event: Event, now: int) -> bool:
    said = (event.name, event.id, event.task_id, event.agent_id, _error(event), getattr(event.data, "title", ""))
    return any(one.lower() in str(value).lower() for one in term.words for value in said)


def _at(term: Term, event: Event, now: int) -> bool:
    where = (event.partition, event.offset)
    return any(
        where == (place.partition, place.offset) and (not place.topic or names(place.topic, event.topic))
        for place in term.places
    )


def _numbered(op: Op, value: int | float | None, term: Term) -> bool:
    return value is not None and any(compared(op, value, one) for one in term.values if isinstance(one, int | float))


_EVENT: Final[dict[str, Callable[[Term, Event, int], bool]]] = {
    "": _text,
    "event": lambda term, event, now: _one_of(term, event.name, event.type),
    "id": lambda term, event, now: _one_of(term, event.id),
    "task": lambda term, event, now: _one_of(term, event.task_id),
    "agent": lambda term, event, now: _one_of(term, event.agent_group, event.target_group),
    "instance": lambda term, event, now: _one_of(term, event.agent_id),
    "topic": lambda term, event, now: any(names(one, event.topic) for one in term.words),
    "offset": _at,
    "caused-by": lambda term, event, now: _one_of(term, event.causation_id),
    "error": lambda term, event, now: any(one.lower() in _error(event).lower() for one in term.words),
    "attempt": lambda term, event, now: _numbered(term.op, event.attempt, term),
    "age": lambda term, event, now: compared(term.op, now - event.at, term.number),
}


def group_test(line: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether the row of an agent group is what a line asks for. Raises Problem 400."""
    terms = terms_of(line, GROUPS)
    return lambda row: all(_GROUP[term.key](term, row) != term.negated for term in terms)


def _parts(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(row.get("partitions") or [])


def _members(row: Mapping[str, Any]) -> list[str]:
    return [*(row.get("member_names") or []), *(str(part.get("member") or "") for part in _parts(row))]


def _age(term: Term, row: Mapping[str, Any]) -> bool:
    seconds = row.get("age_seconds")
    return seconds is not None and compared(term.op, seconds * 1_000_000, term.number)


_GROUP: Final[dict[str, Callable[[Term, Mapping[str, Any]], bool]]] = {
    "": lambda term, row: any(
        one.lower() in f"{row['group']}\n{row['verdict'].get('reason', '')}".lower() for one in term.words
    ),
    "agent": lambda term, row: _one_of(term, row["group"]),
    "state": lambda term, row: row["verdict"]["state"] in term.words,
    "topic": lambda term, row: any(names(one, str(part.get("topic"))) for one in term.words for part in _parts(row)),
    "instance": lambda term, row: _one_of(term, *_members(row)),
    "waiting": lambda term, row: _numbered(term.op, row.get("waiting"), term),
    "running": lambda term, row: _numbered(term.op, row.get("running"), term),
    "members": lambda term, row: _numbered(term.op, row.get("members"), term),
    "age": _age,
}
