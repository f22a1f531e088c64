"""The history of a consumer group: members that came and went, partitions that changed hands, commits moved back."""

from typing import Any, Final

from dashboard.api.instants import iso
from dashboard.models import GroupChange

MOST: Final = 100


def changes(group: str, since: int = 0, until: int | None = None, most: int = MOST) -> list[dict[str, Any]]:
    """What changed of a consumer group between two instants (µs), newest first."""
    found = GroupChange.objects.filter(group=group, seen_at__gte=since)
    if until is not None:
        found = found.filter(seen_at__lte=until)
    return [
        {
            "at": iso(change.seen_at),
            "after": iso(change.before_at),
            "kind": change.kind,
            "text": change.text,
            "generation": change.generation,
        }
        for change in found.order_by("-seen_at", "-pk")[:most]
    ]
