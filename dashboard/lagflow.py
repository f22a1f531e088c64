"""Who writes where, by the records themselves: the newest stored ones are looked at now and then, at most LOOKED.

The share of a group in what was looked at, times what a topic took in since the last look, is its rate: exact while
fewer records come in than are looked at, an estimate beyond.
"""

from collections import Counter
from typing import Final

from django.db.models import Sum

from dashboard.events import decoded
from dashboard.models import FlowEdge, Position, Segment
from dashboard.segments import unpack

LOOKED: Final = 2_000
MINUTE: Final = 60_000_000
KEPT: Final = 14 * 24 * 60 * MINUTE


class Flow:
    """Looks at what was stored since the last look. For one thread."""

    def __init__(self) -> None:
        self._segment: int | None = None
        self._records: dict[str, int] = {}
        self._at = 0

    def look(self, now: int) -> None:
        """Count, and keep the edges."""
        counts, newest = self._counted()
        grown = self._grown()
        span = now - self._at if self._at else 0
        self._at, self._segment = now, newest
        known = {(edge.agent_group, edge.topic): edge for edge in FlowEdge.objects.all()}
        for key, edge in known.items():
            if key not in counts and edge.rate:
                FlowEdge.objects.filter(pk=edge.pk).update(rate=0)
        topics = Counter[str]()
        for (_, topic), count in counts.items():
            topics[topic] += count
        for (group, topic), count in counts.items():
            share = count / topics[topic]
            rate = round(share * max(grown.get(topic, 0), topics[topic]) * MINUTE / span, 1) if span else 0.0
            edge = known.get((group, topic)) or FlowEdge(agent_group=group, topic=topic, first_at=now, seen=0)
            edge.last_at, edge.rate, edge.seen = now, rate, edge.seen + count
            edge.save()
        FlowEdge.objects.filter(last_at__lt=now - KEPT).delete()

    def _counted(self) -> tuple[Counter[tuple[str, str]], int]:
        """(agent group, topic) -> records among the newest, of those stored since the last look."""
        found: Counter[tuple[str, str]] = Counter()
        newest, looked = self._segment or 0, 0
        segments = Segment.objects.filter(id__gt=self._segment or 0).order_by("-id")
        for number, dictionary, blob in segments.values_list("id", "dictionary_id", "blob")[:LOOKED].iterator():
            newest = max(newest, number)
            for event in decoded(unpack(dictionary, bytes(blob))):
                found[event.agent_group or event.agent_id, event.topic] += 1
                looked += 1
            if looked >= LOOKED:
                break
        return found, newest

    def _grown(self) -> dict[str, int]:
        """Topic -> records that were read since the last look."""
        rows = Position.objects.order_by().values_list("topic").annotate(Sum("records"))
        before, self._records = self._records, dict(rows)
        return {topic: count - before.get(topic, count) for topic, count in self._records.items()}
