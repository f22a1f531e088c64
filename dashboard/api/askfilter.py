"""The query line of requests for approval: columns where there are some, else the request itself."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from coordination.query import Term, like
from coordination.requests import Request as RequestRow
from coordination.subjects import APPROVALS
from dashboard.api.condition import Condition, Test, age, every, left, names, signed, some, terms_of, word
from dashboard.api.queue import LIMIT, decided_rows, open_requests, request_of, rows_of
from dashboard.api.requestrows import risk_of, title_of
from dashboard.models import Approval, Decision, Request

# Requests that one answer looks at where only the request itself tells whether it fits.
LOOKED_AT: Final = 5_000


def ask_condition(line: str, now: int) -> Condition[Request]:
    """What a line asks of requests at `now` (µs). Raises Problem 400 for what is not understood."""
    where, tests = [], []
    for term in terms_of(line, APPROVALS):
        if term.key in _COLUMNS:
            where.append(signed(term, _COLUMNS[term.key](term, now)))
        else:
            tests.append(_test(term))
    return Condition(every(where), tuple(tests))


def fitting(rows: QuerySet[Request], condition: Condition[Request], limit: int) -> list[Request]:
    """The first of these requests that fit."""
    found = rows.filter(condition.where)
    if not condition.tests:
        return list(found[:limit])
    return [row for row in found[:LOOKED_AT] if condition.holds(row)][:limit]


def open_asks(line: str, now: int, limit: int = LIMIT) -> list[dict[str, Any]]:
    """Rows of the queue that a line asks for, in its order; at most `limit`, those due first."""
    found = open_requests().order_by("due_at", "requested_at", "approval_id")
    return sorted(rows_of(fitting(found, ask_condition(line, now), limit), now), key=lambda row: row["order"])


def decided_asks(line: str, now: int, limit: int) -> list[dict[str, Any]]:
    """Rows of what was decided here and fits a line, the last decision first."""
    if not line.strip():
        return decided_rows(now, limit)
    last = _decisions().filter(approval_id=OuterRef("approval_id")).values("approval_id").values(at=Max("saved_at"))
    found = Request.objects.filter(_decided()).annotate(saved=Subquery(last)).order_by("-saved")
    return rows_of(fitting(found, ask_condition(line, now), limit), now)


def asks_in_state(state: str, line: str, now: int, limit: int) -> list[dict[str, Any]]:
    """Rows of requests in this state of the log ("" for any) that fit a line, the newest first."""
    found = Request.objects.filter(**({"state": state} if state else {})).order_by("-requested_at", "approval_id")
    return rows_of(fitting(found, ask_condition(line, now), limit), now)


def over(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that wait for nobody any more; what ended on the log alone gets a receipt that says so."""
    return [row | {"receipt": row["receipt"] or _ended(row)} for row in rows if not row["open"]]


def _ended(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sign": row["sign"],
        "word": row["state"],
        "by": "the log",
        "saved_at": row["requested_at"],
        "stage": row["state"],
        "published": None,
        "order": [0],
    }


def names_a_state(line: str) -> bool:
    """Whether a line says itself in which state requests are to be."""
    return any(term.key == "state" and not term.negated for term in terms_of(line, APPROVALS))


def _decisions() -> QuerySet[Decision]:
    # Made anew for each request: whose rows it sees depends on who asks.
    return Decision.objects.filter(kind="decision")


def _decided() -> Q:
    return Q(approval_id__in=_decisions().values("approval_id"))


def _state(term: Term, now: int) -> Q:
    pending = Q(approval_id__in=open_requests().values("approval_id"))
    known = {"pending": pending, "overdue": pending & Q(due_at__lt=now), "decided": _decided()}
    return some(known[one] if one in known else _settled(one) for one in term.words)


def _settled(state: str) -> Q:
    """Ended so on the log, or here and not yet there."""
    ours = Approval.objects.filter(approval_id=OuterRef("approval_id"), version=OuterRef("version"), state=state)
    return Q(state=state) | Q(approval_id__in=Subquery(ours.values("approval_id")))


def _by(term: Term) -> Q:
    return Q(approval_id__in=_decisions().filter(word("person__username", term.words)).values("approval_id"))


_COLUMNS: Final[dict[str, Callable[[Term, int], Q]]] = {
    "state": _state,
    "run": lambda term, now: word("run_id", term.words),
    "task": lambda term, now: word("task_id", term.words),
    "agent": lambda term, now: word("agent_group", term.words),
    "by": lambda term, now: _by(term),
    "age": lambda term, now: age("requested_at", term, now),
    "due": lambda term, now: left("due_at", term, now),
    "expires": lambda term, now: left("expires_at", term, now),
}


def _test(term: Term) -> Test:
    read = _VALUES[term.key]

    def test(row: Request) -> bool:
        return read(term, request_of(row), row) != term.negated

    return test


def _risk(term: Term, request: RequestRow, row: Request) -> bool:
    return risk_of(request, Approval.objects.filter(approval_id=row.approval_id).first()) in term.words


def _action(request: RequestRow) -> str:
    return str(request.action.get("name") or "") if isinstance(request.action, dict) else ""


def _one_of(words: Iterable[str], *values: str) -> bool:
    return any(like(one, value) for one in words for value in values)


def _contains(words: Iterable[str], *values: str) -> bool:
    return any(one.lower() in value.lower() for one in words for value in values)


def _at(term: Term, request: RequestRow, row: Request) -> bool:
    where = (request.partition, request.offset)
    return any(
        where == (place.partition, place.offset) and (not place.topic or names(place.topic, request.topic))
        for place in term.places
    )


_VALUES: Final[dict[str, Callable[[Term, RequestRow, Request], bool]]] = {
    "": lambda term, request, row: _contains(
        term.words, title_of(request), request.question, _action(request), row.approval_id, row.run_id
    ),
    "risk": _risk,
    "kind": lambda term, request, row: _one_of(term.words, request.kind),
    "action": lambda term, request, row: _one_of(term.words, _action(request)),
    "title": lambda term, request, row: _contains(term.words, title_of(request)),
    "instance": lambda term, request, row: _one_of(term.words, request.agent_id),
    "topic": lambda term, request, row: any(names(one, request.topic) for one in term.words),
    "caused-by": lambda term, request, row: _one_of(term.words, row.task_id, request.causation_id),
    "offset": _at,
}
