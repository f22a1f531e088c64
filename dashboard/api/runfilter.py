"""The query line of runs: their columns, the folds and tasks they have, and the failure that began it."""

from collections.abc import Callable, Iterable
from typing import Final

from django.db.models import Exists as Some
from django.db.models import OuterRef, Q

from coordination.matching import matches
from coordination.query import Term
from coordination.subjects import RUNS, WAITS
from coordination.tasks import FAILING, HUMAN, OPEN
from dashboard.api.condition import (
    Condition,
    age,
    events_at,
    every,
    number,
    places,
    signed,
    some,
    span,
    terms_of,
    text,
    topics_of,
    word,
)
from dashboard.api.taskbody import DECODER
from dashboard.api.taskfilter import COMMAND, sieve
from dashboard.models import FoldPart, Run, Task

MILLION: Final = 1_000_000
ENDED: Final = ("completed", "failed", "canceled", "rejected", "expired")
LIVE: Final = Q(state__in=("", "unknown", "requested", "submitted", "working"))
TEXT: Final = ("name", "run_id", "workflow", "first_cause__error_type", "first_cause__error_message")


def _with(states: Iterable[str]) -> Q:
    """Runs with tasks in one of these states now."""
    return Q(counts__has_any_keys=sorted(states))


_FREE: Final = ~_with(HUMAN)
_STUCK: Final = _with(FAILING) & ~_with(OPEN - {""})
# Word of `state:` -> runs; the words of `holds.run_sign`, and a few that say more at once.
STATES: Final[dict[str, Q]] = {
    "live": LIVE,
    "ended": Q(state__in=ENDED),
    "done": Q(state="completed"),
    "completed": Q(state="completed"),
    "canceled": Q(state="canceled"),
    "failed": Q(state__in=("failed", "rejected", "expired")) | (LIVE & _STUCK),
    "human": LIVE & _with(HUMAN),
    "running": LIVE & _FREE & (_with(["working"]) | (~_with(OPEN - {""}) & ~_with(FAILING) & Q(total__gt=0))),
    "retrying": LIVE & _FREE & ~_with(["working"]) & _with(["retry_wait"]),
    "waiting": LIVE & _FREE & ~_with(["working", "retry_wait"]) & (_with(OPEN - {""}) | Q(total=0)),
}


def run_condition(line: str, now: int) -> Condition[Run]:
    """What a line asks of runs at `now` (µs). Raises Problem 400 for what is not understood."""
    terms = terms_of(line, RUNS)
    where = [_where(term, now) for term in terms]
    return Condition(every(where), tuple(_waited(term, now) for term in terms if term.key in WAITS))


def _where(term: Term, now: int) -> Q:
    if term.key in WAITS:
        # One task that could have waited so long; whether it has is told by its body.
        return Q() if term.negated else Q(Some(Task.objects.filter(sieve(term, now), run_id=OuterRef("run_id"))))
    return signed(term, _KEYS[term.key](term, now))


def _waited(term: Term, now: int) -> Callable[[Run], bool]:
    plain = Term(term.key, term.op, term.values)

    def test(run: Run) -> bool:
        rows = Task.objects.filter(sieve(plain, now), run_id=run.run_id).values_list("body", flat=True)
        waited = any(matches(plain, DECODER.decode(body), now) for body in rows.iterator(chunk_size=200))
        return waited != term.negated

    return test


def _folded(column: str, words: Iterable[str]) -> Q:
    """Runs with alike tasks of this kind: the folds are few, and indexed by kind."""
    parts = FoldPart.objects.filter(word(column, tuple(words))).exclude(**{column: ""})
    return Q(run_id__in=parts.values("run_id"))


def _holding(term: Term) -> Q:
    """Runs that a task of this id is part of, or the run of this id itself."""
    return Q(run_id__in=Task.objects.filter(word("task_id", term.words)).values("run_id"))


def _commanded(term: Term) -> Q:
    topics = topics_of(term.words)
    return Q(Some(Task.objects.filter(run_id=OuterRef("run_id"), command_topic__in=topics))) if topics else some([])


def _at(term: Term) -> Q:
    runs = {event.run_id for event in events_at(term.places) if event.run_id}
    return Q(run_id__in=runs) | Q(run_id__in=Task.objects.filter(places(COMMAND, term.places)).values("run_id"))


_KEYS: Final[dict[str, Callable[[Term, int], Q]]] = {
    "": lambda term, now: text(TEXT, term.words),
    "state": lambda term, now: some(STATES[one] for one in term.words),
    "workflow": lambda term, now: word("workflow", term.words),
    "name": lambda term, now: text(("name",), term.words),
    "run": lambda term, now: word("run_id", term.words),
    "agent": lambda term, now: _folded("agent_group", term.words),
    "type": lambda term, now: _folded("task_type", term.words),
    "task": lambda term, now: _holding(term),
    "caused-by": lambda term, now: word("run_id", term.words) | _holding(term),
    "topic": lambda term, now: _commanded(term),
    "offset": lambda term, now: _at(term),
    "error": lambda term, now: text(TEXT[-2:], term.words),
    "age": lambda term, now: age("first_at", term, now),
    "took": lambda term, now: span("started_at", "ended_at", term, now),
    "tasks": lambda term, now: number("total", term),
    "tokens": lambda term, now: number("tokens", term),
    "cost": lambda term, now: number("cost", term, MILLION),
}
