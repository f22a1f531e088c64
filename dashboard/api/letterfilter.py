"""The query line of records that went wrong: one line, asked of two tables.

A key that rejected records have no value for (they belong to no task and to no agent) keeps them out.
"""

from collections.abc import Callable
from typing import Final

from django.db.models import Q, QuerySet

from coordination.query import Term
from coordination.subjects import LETTERS
from dashboard.api.condition import NOTHING, age, every, number, places, signed, terms_of, text, topics_of, word
from dashboard.models import DeadLetter, Rejected

Key = Callable[[Term, int], Q]


def letters(line: str, now: int) -> tuple[QuerySet[DeadLetter], QuerySet[Rejected]]:
    """The dead letters and the rejected records that a line asks for at `now` (µs). Raises Problem 400."""
    terms = terms_of(line, LETTERS)
    dead = every(signed(term, DEAD[term.key](term, now)) for term in terms)
    rejected = every(signed(term, REJECTED.get(term.key, _none)(term, now)) for term in terms)
    return DeadLetter.objects.filter(dead), Rejected.objects.filter(rejected)


def _none(term: Term, now: int) -> Q:
    return NOTHING


def _at(columns: tuple[str, str, str]) -> Key:
    return lambda term, now: places(columns, term.places)


def _of(column: str) -> Key:
    return lambda term, now: word(column, term.words)


def _in(*columns: str) -> Key:
    return lambda term, now: text(columns, term.words)


def _kind(name: str) -> Key:
    return lambda term, now: ~NOTHING if name in term.words else NOTHING


def _topics(*columns: str) -> Key:
    def condition(term: Term, now: int) -> Q:
        topics = topics_of(term.words)
        found = [word(column, term.words) | Q(**{f"{column}__in": topics}) for column in columns]
        return found[0] | found[-1]

    return condition


DEAD: Final[dict[str, Key]] = {
    "": _in("message", "exception", "task_id", "event_name"),
    "kind": _kind("dead"),
    "state": _of("state"),
    "run": _of("run_id"),
    "task": _of("task_id"),
    "agent": _of("agent_group"),
    "topic": _topics("origin_topic", "topic"),
    "offset": lambda term, now: (
        places(("origin_topic", "origin_partition", "origin_offset"), term.places)
        | places(("topic", "partition", "offset"), term.places)
    ),
    "caused-by": lambda term, now: word("task_id", term.words) | word("event_id", term.words),
    "error": _in("message", "exception", "code"),
    "fingerprint": _of("fingerprint"),
    "stage": _of("stage"),
    "event": _of("event_name"),
    "tries": lambda term, now: number("deliveries", term),
    "age": lambda term, now: age("at", term, now),
}
REJECTED: Final[dict[str, Key]] = {
    "": _in("reason", "topic"),
    "kind": _kind("rejected"),
    "state": _kind("kept"),
    "topic": _topics("topic"),
    "offset": _at(("topic", "partition", "offset")),
    "error": _in("reason"),
    "fingerprint": _of("fingerprint"),
    "stage": _of("stage"),
    "age": lambda term, now: age("at", term, now),
}
