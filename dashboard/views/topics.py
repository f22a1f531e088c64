"""Topics: what the manifest declares against what the log says of itself, and what the mapping renames."""

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from dashboard.api.topiclist import topic_rows
from dashboard.clock import database_now
from dashboard.manifest import manifest
from dashboard.models import BrokerTopic, Gap
from dashboard.permissions import may_see_agents, needs
from dashboard.views.page import page

GAPS = 50


@needs(may_see_agents)
def topics(request: HttpRequest) -> HttpResponse:
    """One row a topic: declared and actual; differences and risks are named."""
    now = database_now()
    rows, mapping = topic_rows(now), manifest().mapping
    asked = BrokerTopic.objects.order_by("-taken_at").values_list("taken_at", flat=True).first()
    return page(
        request,
        "topics.html",
        "topics",
        now=now,
        topics=rows,
        gaps=list(Gap.objects.filter(accepted_at=None).order_by("found_at")[:GAPS]),
        namespace=manifest().namespace,
        asked_at=asked,
        differing=sum(row["state"] in ("differs", "missing") for row in rows),
        risky=sum(bool(row["risks"]) for row in rows),
        mapping_file=Path(settings.LINESIDE_TOPICS).name,
        mapped_topics=sorted(mapping.topics.items()),
        mapped_headers=sorted((name, ours.removeprefix("ce_")) for name, ours in mapping.headers.items()),
        framed=mapping.framed,
    )
