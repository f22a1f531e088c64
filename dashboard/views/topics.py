"""Topics: what the manifest declares against what ingest has met, partition by partition."""

from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from coordination.lag import words
from coordination.manifest import FOREVER, TOPICS
from dashboard.clock import database_now
from dashboard.manifest import manifest
from dashboard.models import Gap, Position
from dashboard.permissions import may_see_agents, needs
from dashboard.views.page import page

MILLISECOND: Final = 1000
NOT_READ: Final = "run.state."


@needs(may_see_agents)
def topics(request: HttpRequest) -> HttpResponse:
    """One row a topic: declared and met; a difference is named."""
    now = database_now()
    met: dict[str, list[Position]] = defaultdict(list)
    for position in Position.objects.order_by("topic", "partition"):
        met[position.topic].append(position)
    names = manifest()
    declared = [(name, TOPICS[names.family_of(name) or ""]) for name in names.topics]
    rows = [_declared(name, topic, met.pop(name, []), name in names.mapping.topics) for name, topic in declared]
    rows += [_unknown(name, positions) for name, positions in sorted(met.items())]
    gaps = list(Gap.objects.filter(accepted_at=None).order_by("found_at")[:50])
    mapping = names.mapping
    return page(
        request,
        "topics.html",
        "topics",
        now=now,
        topics=rows,
        gaps=gaps,
        namespace=names.namespace,
        mapping_file=Path(settings.LINESIDE_TOPICS).name,
        mapped_topics=sorted(mapping.topics.items()),
        mapped_headers=sorted((name, ours.removeprefix("ce_")) for name, ours in mapping.headers.items()),
        framed=mapping.framed,
    )


def _sums(positions: list[Position]) -> dict[str, Any]:
    behind = [max(0, each.end_offset - each.next_offset) for each in positions if each.end_offset is not None]
    return {
        "met": len(positions),
        "records": sum(each.records for each in positions),
        "behind": sum(behind) if behind else None,
        "last_at": max((each.last_at for each in positions if each.last_at is not None), default=None),
    }


def _declared(name: str, topic: Any, positions: list[Position], mapped: bool) -> dict[str, Any]:
    row = _sums(positions)
    kept = "for ever" if topic.retention_ms == FOREVER else words(topic.retention_ms * MILLISECOND)
    if topic.family.startswith(NOT_READ):
        state = ("idle", "not read here", "Summaries and the agents' own bookkeeping: written for others to read.")
    elif not positions:
        state = ("waiting", "not met yet", "No record of it has been read; it may be missing on the log.")
    elif mapped:
        state = ("done", "mapped", f"Read as {topic.family}; it stays as its owner made it.")
    elif len(positions) != topic.partitions:
        state = ("failed", "differs", f"The log has {len(positions)} partitions, {topic.partitions} are declared.")
    else:
        state = ("done", "as declared", "")
    return row | {
        "name": name,
        "access": topic.access,
        "key": topic.key,
        "partitions": topic.partitions,
        "cleanup": topic.cleanup,
        "retention": kept.removesuffix(" 0 h"),
        "why": topic.why,
        "sign": {"sign": state[0], "label": state[1]},
        "note": state[2],
    }


def _unknown(name: str, positions: list[Position]) -> dict[str, Any]:
    return _sums(positions) | {
        "name": name,
        "access": "",
        "key": "",
        "partitions": None,
        "cleanup": "",
        "retention": "",
        "why": "",
        "sign": {"sign": "unknown", "label": "not declared"},
        "note": "Read from the log, but not part of the manifest.",
    }
