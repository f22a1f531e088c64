"""The declared topics of this installation, under the names that `LINESIDE_TOPICS` gives them.

Apart from `dashboard.eventlog`, because whoever writes to the outbox needs the names and must not see an adapter.
"""

from functools import cache
from pathlib import Path

from django.conf import settings

from coordination.manifest import Manifest
from coordination.topicmapping import NO_MAPPING, TopicMapping, read_mapping


def manifest() -> Manifest:
    """The manifest. Raises BadTopicMapping for a file that makes no sense, OSError for one that cannot be read."""
    return _manifest(settings.LINESIDE_NAMESPACE, settings.LINESIDE_TOPICS)


@cache
def _manifest(namespace: str, mapping_file: str) -> Manifest:
    return Manifest(namespace, _mapping(mapping_file))


def _mapping(file: str) -> TopicMapping:
    if not file:
        return NO_MAPPING
    path = Path(file).expanduser()
    return read_mapping(path.read_text(), "json" if path.suffix == ".json" else "toml")
