"""Records that went wrong, grouped by what went wrong: one row an error, the most frequent first."""

from typing import Any, Final

from django.db.models import Count, Max, Min, QuerySet

from dashboard.api.instants import iso
from dashboard.api.letterfilter import letters as filtered
from dashboard.models import DeadLetter

MOST: Final = 100
AGENTS: Final = 5


def letter_groups(query: str, now: int) -> list[dict[str, Any]]:
    """At most MOST errors among what a query asks for: how many, in which state, since when, of whom, one example.

    Raises Problem 400 for a word that is not understood.
    """
    dead, rejected = filtered(query, now)
    rows = [_dead(group, dead) for group in _grouped(dead)]
    rows += [_rejected(group, rejected) for group in _grouped(rejected)]
    return sorted(rows, key=lambda row: (-row["open"], -row["count"], row["id"]))[:MOST]


def _grouped(found: "QuerySet[Any]") -> list[dict[str, Any]]:
    groups = (
        found.order_by()
        .values("fingerprint")
        .annotate(count=Count("id"), first=Min("at"), last=Max("at"), newest=Max("id"))
    )
    return list(groups.order_by("-count")[:MOST])


def _dead(group: dict[str, Any], letters: "QuerySet[DeadLetter]") -> dict[str, Any]:
    mine = letters.filter(fingerprint=group["fingerprint"])
    newest = mine.defer("record").get(pk=group["newest"])
    still = mine.filter(state=DeadLetter.State.OPEN).count()
    agents = mine.order_by().values_list("agent_group", flat=True).distinct()[:AGENTS]
    reason = ": ".join(part for part in (newest.exception or newest.code, newest.message) if part)
    return _row(group, "dead", reason, still) | {"agents": ", ".join(sorted(name for name in agents if name))}


def _rejected(group: dict[str, Any], records: "QuerySet[Any]") -> dict[str, Any]:
    newest = records.defer("record").get(pk=group["newest"])
    return _row(group, "rejected", newest.reason, 0) | {"agents": newest.topic}


def _row(group: dict[str, Any], sort: str, reason: str, still: int) -> dict[str, Any]:
    label = "dead-lettered" if still else "settled"
    sign = {"sign": "failed", "label": "rejected"} if sort == "rejected" else {"sign": "dead", "label": label}
    return {
        "kind": "error",
        "id": f"{sort}-{group['fingerprint']}",
        "fingerprint": group["fingerprint"],
        "sort": sort,
        "sign": {"sign": "done", "label": "settled"} if sort == "dead" and not still else sign,
        "reason": reason or "no error text was sent",
        "count": group["count"],
        "open": still,
        "first_at": iso(group["first"]),
        "last_at": iso(group["last"]),
        "query": f"fingerprint:{group['fingerprint']}",
    }
