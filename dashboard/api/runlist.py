"""Lists of runs: newest first, by keyset, with what holds each of them."""

from typing import Any, Final

from django.db.models import Count, Q, QuerySet

from dashboard.api.addresses import address
from dashboard.api.instants import iso
from dashboard.api.paging import cursor, page, position
from dashboard.api.problems import Problem
from dashboard.api.queue import open_requests, request_of
from dashboard.api.requestrows import title_of
from dashboard.api.rows import run_row
from dashboard.models import Run

ENDED: Final = ("completed", "failed", "canceled")
GROUPS: Final[dict[str, Q]] = {
    "live": ~Q(state__in=ENDED),
    "done": Q(state="completed"),
    "completed": Q(state="completed"),
    "failed": Q(state="failed"),
    "canceled": Q(state="canceled"),
    "ended": Q(state__in=ENDED),
}


def filtered(query: str) -> QuerySet[Run]:
    """Runs that a query line asks for: `state:live,failed workflow:<name>` and words found in name or id.

    Raises Problem 400 naming the word that is not understood.
    """
    found = Run.objects.all()
    for word in query.split():
        key, colon, value = word.partition(":")
        if not colon:
            found = found.filter(Q(name__icontains=word) | Q(run_id__icontains=word) | Q(workflow__icontains=word))
        elif key == "state":
            found = found.filter(_states(value, query.index(word)))
        elif key == "workflow":
            found = found.filter(workflow=value)
        elif key == "run":
            found = found.filter(run_id=value)
        else:
            raise Problem(
                400,
                "bad_query",
                f"{key}: is no field of runs; there are state, workflow and run.",
                at=query.index(word),
            )
    return found


def _states(value: str, at: int) -> Q:
    chosen = Q()
    for name in value.split(","):
        if name not in GROUPS:
            raise Problem(400, "bad_query", f"state:{name} is not known; states are {', '.join(GROUPS)}.", at=at)
        chosen |= GROUPS[name]
    return chosen


def run_page(query: str, after: str | None, limit: int) -> dict[str, Any]:
    """One page of runs, newest first. The query costs the same with 10,000 runs as with 10."""
    found = filtered(query).order_by("-first_at", "-run_id")
    key = position(after, 2)
    if key is not None:
        found = found.filter(Q(first_at__lt=key[0]) | Q(first_at=key[0], run_id__lt=key[1]))
    runs = list(found[: limit + 1])
    following = cursor(runs[limit - 1].first_at, runs[limit - 1].run_id) if len(runs) > limit else None
    return page(with_asks(runs), limit, following)


def with_asks(runs: list[Run]) -> list[dict[str, Any]]:
    """Rows of these runs, each with its oldest open approval; two queries however many there are."""
    return [run_row(run, asks=asks) for run, asks in zip(runs, _asks(runs), strict=True)]


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
    return Run.objects.aggregate(
        live=Count("run_id", filter=GROUPS["live"]),
        failed=Count("run_id", filter=Q(state="failed", ended_at__gte=since)),
    )


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
