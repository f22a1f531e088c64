"""Lists of runs: newest first, by keyset, with what holds each of them."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Q, QuerySet

from dashboard.api.addresses import address
from dashboard.api.cascades import Cascade, cascades
from dashboard.api.condition import Condition
from dashboard.api.instants import iso
from dashboard.api.paging import cursor, position
from dashboard.api.queue import open_requests, request_of
from dashboard.api.requestrows import title_of
from dashboard.api.rows import run_row
from dashboard.api.runfilter import LIVE, run_condition
from dashboard.models import Run

# Runs that one page looks at where only their tasks tell whether they fit; the cursor goes on behind them.
LOOKED_AT: Final = 500


def filtered(query: str, now: int) -> QuerySet[Run]:
    """Runs that a query line asks for at `now` (µs), as far as their rows tell. Raises Problem 400."""
    return Run.objects.filter(run_condition(query, now).where)


def run_page(query: str, after: str | None, limit: int, now: int) -> dict[str, Any]:
    """One page of runs, newest first. The query costs the same with 10,000 runs as with 10.

    A page may hold fewer than `limit` and yet have a next one, where the tasks of runs are looked at.
    """
    condition = run_condition(query, now)
    found = Run.objects.filter(condition.where).order_by("-first_at", "-run_id")
    key = position(after, int, str)
    if key is not None:
        found = found.filter(Q(first_at__lt=key[0]) | Q(first_at=key[0], run_id__lt=key[1]))
    runs, last = _taken(found, condition, limit) if condition.tests else _first(found, limit)
    return {"items": judged(runs), "next": None if last is None else cursor(last.first_at or 0, last.run_id)}


def _first(found: QuerySet[Run], limit: int) -> tuple[list[Run], Run | None]:
    """The first runs, and the last of them if others follow."""
    runs = list(found[: limit + 1])
    return runs[:limit], runs[limit - 1] if len(runs) > limit else None


def _taken(found: QuerySet[Run], condition: Condition[Run], limit: int) -> tuple[list[Run], Run | None]:
    """The first of those that fit, and the last that was looked at if others follow."""
    taken: list[Run] = []
    last = None
    for looked, run in enumerate(found[: LOOKED_AT + 1]):
        if looked == LOOKED_AT or len(taken) == limit:
            return taken, last
        if condition.holds(run):
            taken.append(run)
        last = run
    return taken, None


def judged(runs: list[Run]) -> list[dict[str, Any]]:
    """Rows of these runs as pages show them: with the cascades of those that failed."""
    return with_asks(runs, cascades(runs))


def with_asks(runs: list[Run], found: Mapping[str, Cascade] | None = None) -> list[dict[str, Any]]:
    """Rows of these runs, each with its oldest open approval; two queries however many there are."""
    known = found or {}
    pairs = zip(runs, _asks(runs), strict=True)
    return [run_row(run, asks=asks, cascade=known.get(run.run_id)) for run, asks in pairs]


def _asks(runs: list[Run]) -> list[dict[str, Any] | None]:
    ids = [run.run_id for run in runs]
    found: dict[str, dict[str, Any]] = {}
    for request in open_requests().filter(run_id__in=ids).order_by("requested_at")[:200]:
        whole = request_of(request)
        ask = {
            "title": title_of(whole),
            "since": iso(whole.requested_at),
            "url": address("approvals", request.approval_id),
        }
        found.setdefault(request.run_id, ask)
    return [found.get(run_id) for run_id in ids]


def figures(since: int) -> dict[str, int]:
    """The board's headline: live runs, runs that failed since `since` (µs)."""
    # Two questions, because each has an index that one question about both would not use.
    return {
        "live": Run.objects.filter(LIVE).count(),
        "failed": Run.objects.filter(state="failed", ended_at__gte=since).count(),
    }


def usual(run: Run, least: int = 5, most: int = 50) -> tuple[int, int] | None:
    """How long runs of this workflow usually take: (10th, 90th) percentile in µs of the last ones, or None."""
    if not run.workflow:
        return None
    ended = Run.objects.filter(workflow=run.workflow, state="completed").order_by("-first_at")
    pairs = ended.values_list("started_at", "ended_at")[:most]
    spans = sorted(last - first for first, last in pairs if first is not None and last is not None)
    if len(spans) < least:
        return None
    return spans[len(spans) // 10], spans[len(spans) * 9 // 10]
