"""Agent groups: the last poll of each as a row, worst verdict first, and its history for the sparkline.

What a poll found and judged is the row's body (`dashboard.lagrows`); here it is dressed for lists: a chip, words
where a bare number could mean two things, an address.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django.db.models import F, Max

from coordination.lag import words
from dashboard.api.addresses import address
from dashboard.api.signs import verdict_chip, verdict_rank
from dashboard.models import ConsumerGroup, GroupSnapshot

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
FORGOTTEN: Final = 24 * 60 * MINUTE
HISTORY: Final = 60 * MINUTE
POINTS: Final = 30
ALARMING: Final = ("stuck", "lost", "unassigned", "rewound", "flapping", "slow")
LATE: Final = ("not catching up", "cannot start")


def _newest() -> int:
    return ConsumerGroup.objects.aggregate(last=Max("taken_at"))["last"] or 0


def alarms() -> int:
    """How many groups have a verdict that somebody should look at."""
    found = ConsumerGroup.objects.filter(verdict__in=ALARMING, taken_at__gt=_newest() - FORGOTTEN)
    return found.exclude(agent_group="").count()


def histories(now: int, reach: int = HISTORY, points: int = POINTS) -> dict[str, list[int | None]]:
    """Waiting tasks of each group over the last `reach` µs in `points` steps; None where nothing was polled."""
    step = reach // points
    first = now // step - points + 1
    found = (
        GroupSnapshot.objects.filter(taken_at__gte=first * step)
        .annotate(bucket=F("taken_at") / step)
        .values_list("group", "bucket")
        .annotate(most=Max("waiting"))
    )
    series: dict[str, list[int | None]] = {}
    for group, bucket, most in found:
        place = int(bucket) - first
        if 0 <= place < points:
            series.setdefault(group, [None] * points)[place] = most
    return series


def group_rows(now: int, *, whole: bool = True) -> list[dict[str, Any]]:
    """A row for each group, worst verdict first; one that no poll saw for a day is left out. Not `whole`: without
    its partitions, which are most of it."""
    history = histories(now)
    found = ConsumerGroup.objects.filter(taken_at__gt=_newest() - FORGOTTEN).exclude(agent_group="")
    bodies = [(each.group, msgspec.json.decode(each.body)) for each in found]
    rows = [group_row(body if whole else _light(body), history.get(name)) for name, body in bodies]
    return sorted(rows, key=lambda row: row["order"])


def _light(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "partitions"} | {
        "known_partitions": len(body.get("partitions") or [])
    }


def whole_group(group: str, now: int) -> dict[str, Any] | None:
    """One agent group with its partitions; None if it was never seen."""
    found = ConsumerGroup.objects.filter(agent_group=group).first()
    if found is None:
        return None
    return group_row(msgspec.json.decode(found.body), histories(now).get(found.group))


def group_row(found: Mapping[str, Any], history: list[int | None] | None = None) -> dict[str, Any]:
    """One group, dressed. Without `history` the row leaves the sparkline as it is."""
    state, waiting, age = str(found["verdict"]["state"]), found.get("waiting"), found.get("age_seconds")
    row: dict[str, Any] = {
        **found,
        "order": [verdict_rank(state), -(age or 0), found["group"]],
        "url": address("agents", found["group"]),
        "chip": verdict_chip(state),
        "oldest": "unknown" if waiting is None else _age(age) if waiting else "none",
        "age": _age(age) if waiting else "",
        "gap": "unknown" if found.get("offset_gap") is None else f"{found['offset_gap']:,}",
        "rates": f"{_short(found.get('in_per_minute'))} / {_short(found.get('out_per_minute'))}",
        "late": found.get("eta") in LATE,
        "members_text": _members(found),
    }
    if "partitions" in found:
        row["partitions"] = [_partition(each) for each in found["partitions"] or []]
    if history is not None:
        row["history"] = history
    return row


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    return f"{int(seconds)} s" if 1 <= seconds < 10 else words(int(seconds * SECOND))


def _short(rate: float | None) -> str:
    if rate is None:
        return "?"
    return f"{rate:.0f}" if rate >= 10 or rate == int(rate) else f"{rate:.1f}"


def _members(found: Mapping[str, Any]) -> str:
    """How many members the group has; never 0 where it is not known."""
    return "unknown" if found.get("members") is None else str(found["members"])


def _partition(part: Mapping[str, Any]) -> dict[str, Any]:
    waiting, commit = part.get("waiting"), part.get("commit")
    return {
        **part,
        "waiting_text": "unknown" if waiting is None else f"{waiting:,}",
        "oldest": "unknown" if waiting is None else _age(part.get("age_seconds")) if waiting else "none",
        "commit_text": "no commit" if commit is None else str(commit),
        "member": part.get("member") or "",
        "hot": bool(waiting),
    }
