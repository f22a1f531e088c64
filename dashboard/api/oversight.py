"""How people decide: how long requests wait for whom, what people make of each agent group's requests, how closely
they look (approvals.md, rule 17). Over the last days, read when asked for."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db.models import Count

from coordination.lag import words
from dashboard.models import Approval, Decision, Request, Vote

DAY: Final = 86_400_000_000
MOST: Final = 10_000
QUICK_MS: Final = 3_000
STAGES: Final = ("first view", "decision", "published", "applied")


def oversight(now: int, days: int = 30) -> dict[str, Any]:
    """{stages, groups, votes, quick, unopened, provenance}: figures over what was decided in the last `days`."""
    since = now - days * DAY
    approvals: list[Any] = list(
        Approval.objects.filter(decided_at__gte=since)
        .exclude(state=Approval.State.PENDING)
        .order_by("-decided_at")
        .values("approval_id", "version", "agent_group", "decided_at", "first_viewed_at")[:MOST]
    )
    asked = _asked({each["approval_id"] for each in approvals})
    decisions: list[Any] = list(
        Decision.objects.filter(kind="decision", saved_at__gte=since)
        .exclude(state=Decision.State.UNDONE)
        .order_by("-saved_at")
        .values("approval_id", "verdict", "saved_at", "published_at", "applied_at", "provenance", "person_id")[:MOST]
    )
    return {
        "days": days,
        "decided": len(decisions),
        "stages": _stages(approvals, asked, decisions),
        "groups": _groups(approvals, decisions),
        "provenance": _provenance(decisions),
        **_attention(since),
    }


def _asked(ids: Iterable[str]) -> dict[str, int]:
    wanted, found = sorted(ids), dict[str, int]()
    for start in range(0, len(wanted), 500):
        part = Request.objects.filter(approval_id__in=wanted[start : start + 500], requested_at__isnull=False)
        found |= dict(part.values_list("approval_id", "requested_at"))  # type: ignore[arg-type]
    return found


def _stages(
    approvals: list[dict[str, Any]], asked: Mapping[str, int], decisions: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """p50 and p95 of each step: asked to first view, asked to decided, saved to published, published to applied."""
    known = [(each, asked[each["approval_id"]]) for each in approvals if each["approval_id"] in asked]
    spans = {
        "first view": [each["first_viewed_at"] - at for each, at in known if each["first_viewed_at"]],
        "decision": [each["decided_at"] - at for each, at in known],
        "published": [one["published_at"] - one["saved_at"] for one in decisions if one["published_at"]],
        "applied": [
            one["applied_at"] - one["published_at"] for one in decisions if one["applied_at"] and one["published_at"]
        ],
    }
    return [{"stage": name, "count": len(spans[name]), **_percentiles(spans[name])} for name in STAGES]


def _percentiles(spans: list[int]) -> dict[str, Any]:
    """p50 and p95 in µs and in words; None without values. Skew between clocks is not made up for, but no time is
    below nought."""
    ordered = sorted(max(0, span) for span in spans)
    found = {name: percentile(ordered, share) for name, share in (("p50", 0.5), ("p95", 0.95))}
    return found | {f"{name}_words": words(value) if value is not None else "none yet" for name, value in found.items()}


def percentile(ordered: list[int], share: float) -> int | None:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    if not ordered:
        return None
    rank = -int(-len(ordered) * share // 1)
    return ordered[max(0, rank - 1)]


def _groups(approvals: list[dict[str, Any]], decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What people made of each agent group's requests, the most asked first."""
    group_of = {each["approval_id"]: each["agent_group"] for each in approvals}
    found: dict[str, dict[str, int]] = {}
    for one in decisions:
        if one["person_id"] is not None and one["approval_id"] in group_of:
            row = found.setdefault(group_of[one["approval_id"]], {"approve": 0, "edit": 0, "reject": 0, "respond": 0})
            row[one["verdict"]] = row.get(one["verdict"], 0) + 1
    rows = [{"group": name or "unknown", "total": sum(row.values()), **row} for name, row in found.items()]
    return sorted(rows, key=lambda row: (-row["total"], row["group"]))


def _provenance(decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who decided: people, each rule with its version, expiry."""
    counts: dict[str, int] = {}
    for one in decisions:
        given = one["provenance"]
        rule = given.get("policy_rule")
        name = (
            "people"
            if one["person_id"]
            else f"rule {rule}, version {given.get('policy_rule_version')}"
            if rule
            else "expiry"
        )
        counts[name] = counts.get(name, 0) + 1
    return [{"by": name, "count": count} for name, count in sorted(counts.items(), key=lambda each: -each[1])]


def _by_itself(given: Mapping[str, Any]) -> str:
    rule = given.get("policy_rule")
    return f"rule {rule}, version {given.get('policy_rule_version')}" if rule else "expiry"


def _attention(since: int) -> dict[str, Any]:
    """How many votes were cast within three seconds of opening the page, or without having seen the whole payload."""
    votes = Vote.objects.filter(at__gte=since, counts=True)
    sums = votes.aggregate(count=Count("pk"))
    timed = votes.filter(dwell_ms__isnull=False)
    return {
        "votes": sums["count"],
        "timed": timed.count(),
        "quick": timed.filter(dwell_ms__lt=QUICK_MS).count(),
        "unopened": votes.filter(opened_payload=False).count(),
    }
