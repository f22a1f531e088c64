"""Terms of a query line as conditions of the database: what every list shares.

What a table answers by its columns is exact. What only the body of a row can tell is a `Test` on the row, beside a
condition that keeps out what cannot fit.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, Final, Generic, TypeVar

import msgspec
from django.db.models import F, Q
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

from coordination.event import Event
from coordination.query import LARGEST, Op, Place, QueryError, Subject, Term, like, parse, regex
from dashboard.api.problems import Problem
from dashboard.events import event_at
from dashboard.models import Position

Row = TypeVar("Row")
Test = Callable[[Any], bool]
LOOKUPS: Final[dict[Op, str]] = {":": "", ">": "__gt", "<": "__lt", ">=": "__gte", "<=": "__lte"}
TURNED: Final[dict[Op, Op]] = {":": ":", ">": "<", "<": ">", ">=": "<=", "<=": ">="}
SPANS: Final = {">": GreaterThan, "<": LessThan, ">=": GreaterThanOrEqual, "<=": LessThanOrEqual}
NOTHING: Final = Q(pk__in=[])


class Condition(msgspec.Struct, Generic[Row], frozen=True):
    """What a query line asks of a table: a row fits if `where` lets it through and all `tests` hold."""

    where: Q
    tests: tuple[Callable[[Row], bool], ...] = ()

    def holds(self, row: Row) -> bool:
        """Whether a row that `where` let through fits."""
        return all(test(row) for test in self.tests)


def terms_of(line: str, subject: Subject) -> tuple[Term, ...]:
    """The terms of a line. Raises Problem 400 with the place (`at` to `end`) of what is not understood."""
    try:
        return parse(line, subject)
    except QueryError as error:
        raise Problem(400, error.code, str(error), at=error.at, end=error.end) from error


def every(conditions: Iterable[Q]) -> Q:
    """All of these."""
    return reduce(and_, conditions, Q())


def some(conditions: Iterable[Q]) -> Q:
    """Any of these; with none of them nothing fits."""
    found = list(conditions)
    return reduce(or_, found) if found else NOTHING


def signed(term: Term, condition: Q) -> Q:
    """The condition, or its contrary where the term says so."""
    return ~condition if term.negated else condition


def word(column: str, words: Sequence[str]) -> Q:
    """The column is one of these words; `*` stands for any characters."""
    exact = [one for one in words if "*" not in one]
    patterns = [Q(**{f"{column}__regex": regex(one)}) for one in words if "*" in one]
    return some([*([Q(**{f"{column}__in": exact})] if exact else []), *patterns])


def text(columns: Iterable[str], words: Sequence[str]) -> Q:
    """One of the words is contained in one of the columns."""
    return some(Q(**{f"{column}__icontains": one}) for column in columns for one in words)


def number(column: str, term: Term, scale: int = 1) -> Q:
    """The column, which counts in 1/scale, is as the term compares it; one without a value never is."""
    values = (value for value in term.values if isinstance(value, int | float))
    limit = (2**31 - 1) * scale
    return some(Q(**{column + LOOKUPS[term.op]: max(-limit, min(limit, value * scale))}) for value in values)


def age(column: str, term: Term, now: int) -> Q:
    """So long ago (µs) lies the instant in the column."""
    return Q(**{column + LOOKUPS[TURNED[term.op]]: max(-LARGEST, now - int(term.number))})


def left(column: str, term: Term, now: int) -> Q:
    """So far ahead (µs) lies the instant in the column."""
    return Q(**{column + LOOKUPS[term.op]: min(LARGEST, now + int(term.number))})


def span(first: str, last: str, term: Term, now: int) -> Q:
    """So long (µs) it is from one instant to another, or to now where the other is missing."""
    ended = Q(**{f"{first}__isnull": False, f"{last}__isnull": False})
    length = SPANS[term.op](F(last) - F(first), int(term.number))
    return (ended & Q(length)) | (Q(**{f"{last}__isnull": True}) & age(first, term, now))


def topics_of(words: Sequence[str]) -> list[str]:
    """The topics ingest has met that one of these words names: in full, with `*`, or by their last words."""
    known = Position.objects.values_list("topic", flat=True).distinct()
    return [topic for topic in known if any(names(one, topic) for one in words)]


def names(word: str, topic: str) -> bool:
    """Whether a word names a topic."""
    return like(word, topic) or topic.endswith(f".{word}")


def events_at(places: Iterable[Place]) -> list[Event]:
    """The events at these positions, of every topic that fits."""
    found = []
    for place in places:
        known = Position.objects.filter(partition=place.partition, next_offset__gt=place.offset)
        topics = [one for one in known.values_list("topic", flat=True) if not place.topic or names(place.topic, one)]
        events = (event_at(topic, place.partition, place.offset) for topic in topics)
        found += [event for event in events if event is not None]
    return found


def places(columns: tuple[str, str, str], found: Iterable[Place]) -> Q:
    """The columns for topic, partition and offset hold one of these positions."""
    topic, partition, offset = columns
    return some(
        Q(**{partition: place.partition, offset: place.offset})
        & (Q(**{f"{topic}__in": topics_of([place.topic])}) if place.topic else Q())
        for place in found
    )
