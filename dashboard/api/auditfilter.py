"""The query line of the audit trail."""

from collections.abc import Callable
from typing import Final

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from coordination.query import Term
from coordination.subjects import AUDIT
from dashboard.api.condition import age, every, number, signed, some, terms_of, text, word
from dashboard.models import Audit

TEXT: Final = ("actor", "act", "subject")


def audit_entries(line: str, now: int) -> QuerySet[Audit]:
    """The entries a line asks for at `now` (µs), newest first. Raises Problem 400."""
    where = every(signed(term, _KEYS[term.key](term, now)) for term in terms_of(line, AUDIT))
    return Audit.objects.filter(where).order_by("-number")


def _users(condition: Q) -> list[str]:
    """The opaque ids under which the trail knows these users."""
    return [f"user-{pk}" for pk in get_user_model().objects.filter(condition).values_list("pk", flat=True)]


def _who(term: Term, now: int) -> Q:
    return word("actor", term.words) | Q(actor__in=_users(word("username", term.words)))


def _text(term: Term, now: int) -> Q:
    return text(TEXT, term.words) | Q(actor__in=_users(text(("username",), term.words)))


def _subject(kind: str) -> Callable[[Term, int], Q]:
    return lambda term, now: word("subject", [f"{kind}/{one}" for one in term.words])


def _run(term: Term, now: int) -> Q:
    # The detail is canonical JSON: a field stands in it as it would be written again.
    return some(Q(detail__contains=f'"run_id":"{one}"') for one in term.words) | _subject("run")(term, now)


_KEYS: Final[dict[str, Callable[[Term, int], Q]]] = {
    "": _text,
    "who": _who,
    "act": lambda term, now: word("act", term.words),
    "about": lambda term, now: word("subject", term.words),
    "run": _run,
    "task": _subject("task"),
    "approval": _subject("approval"),
    "number": lambda term, now: number("number", term),
    "age": lambda term, now: age("at", term, now),
}
