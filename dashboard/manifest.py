"""The declared topics of this installation, under the names that `LINESIDE_TOPICS` gives them.

Apart from `dashboard.eventlog`, because whoever writes to the outbox needs the names and must not see an adapter.
"""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.db.models import Max

from coordination.manifest import Manifest
from coordination.rows import Layout
from coordination.topicmapping import NO_MAPPING, TopicMapping, read_mapping
from dashboard.models import Position


def manifest() -> Manifest:
    """The manifest. Raises BadTopicMapping for a file that makes no sense, OSError for one that cannot be read."""
    return _manifest(settings.LINESIDE_NAMESPACE, settings.LINESIDE_TOPICS)


def layout() -> Layout:
    """How the partitions make up shards, as the positions tell: one row a partition, read from or not."""
    topics = Position.objects.values("topic").annotate(last=Max("partition"))
    return Layout(manifest().family_of, {row["topic"]: row["last"] + 1 for row in topics})


@cache
def _manifest(namespace: str, mapping_file: str) -> Manifest:
    return Manifest(namespace, _mapping(mapping_file))


def _mapping(file: str) -> TopicMapping:
    if not file:
        return NO_MAPPING
    path = Path(file).expanduser()
    return read_mapping(path.read_text(), "json" if path.suffix == ".json" else "toml")
