"""The lag of a run's agent groups under its time axis: how many tasks waited before each, poll by poll, and when
members came, went or exchanged partitions.
"""

from collections.abc import Collection
from typing import Any, Final

from django.db.models import F, Max

from dashboard.api.phases import millis
from dashboard.models import ConsumerGroup, GroupChange, GroupSnapshot

POINTS: Final = 150
CHANGES: Final = 200
LANES: Final = 10
SECOND: Final = 1_000_000


def lanes(groups: Collection[str], start: int, end: int) -> list[dict[str, Any]]:
    """The lanes of the agent groups that were polled between start and end (µs), the busiest LANES of them.

    A point is [ms since start, waiting or None for unknown], a change [ms of the poll before, ms of the poll that saw
    it, words]; three queries, at most POINTS points a lane and the first CHANGES changes of all.
    """
    names = dict(ConsumerGroup.objects.filter(agent_group__in=groups).values_list("group", "agent_group"))
    step = max(SECOND, -(-(end - start) // POINTS))
    found: dict[str, list[list[Any]]] = {}
    rows = (
        GroupSnapshot.objects.filter(group__in=list(names), taken_at__gte=start, taken_at__lte=end)
        .annotate(bucket=F("taken_at") / step)
        .values_list("group", "bucket")
        .annotate(Max("taken_at"), Max("waiting"))
        .order_by("group", "bucket")
    )
    for group, _, at, waiting in rows:
        found.setdefault(names[group], []).append([millis(at - start), waiting])
    busiest = sorted(found, key=lambda group: (-_most(found[group]), group))[:LANES]
    changed = _changes(names, start, end)
    return [
        {"group": group, "points": found[group], "most": _most(found[group]), "changes": changed.get(group, [])}
        for group in sorted(busiest)
    ]


def _changes(names: dict[str, str], start: int, end: int) -> dict[str, list[list[Any]]]:
    """Of each agent group what was otherwise than at the poll before, a line for each poll that saw any."""
    found: dict[str, dict[tuple[int, int], list[str]]] = {}
    rows = GroupChange.objects.filter(group__in=list(names), seen_at__gte=start, before_at__lte=end)
    for change in rows.order_by("seen_at", "pk")[:CHANGES]:
        polls = found.setdefault(names[change.group], {})
        polls.setdefault((change.before_at, change.seen_at), []).append(change.text)
    return {
        group: [
            [millis(max(before, start) - start), millis(min(at, end) - start), "; ".join(texts)]
            for (before, at), texts in polls.items()
        ]
        for group, polls in found.items()
    }


def _most(points: list[list[Any]]) -> int:
    return max((waiting for _, waiting in points if waiting is not None), default=0)
