"""What there is to read on a log: the declared topics that exist, and the shards their partitions make up."""

from collections.abc import Container, Mapping
from typing import Final

import msgspec

from coordination.eventlog import EventLog, TopicInfo, TopicPartition
from coordination.manifest import Manifest
from coordination.rows import Layout

# Compacted summaries and the agents' own bookkeeping: made from the other topics, or nothing to show.
NOT_READ: Final = "run.state."


class Survey(msgspec.Struct):
    """The topics of the manifest that exist on the log, and the layout of their partitions."""

    topics: dict[str, TopicInfo]
    layout: Layout

    @property
    def shards(self) -> list[str]:
        """All shards, in order."""
        return sorted({self.layout.shard(*partition) for partition in self.partitions()})

    def partitions(self, shards: Container[str] | None = None) -> list[TopicPartition]:
        """All partitions, or those of these shards."""
        return [
            TopicPartition(name, number)
            for name, info in self.topics.items()
            for number in range(info.partitions)
            if shards is None or self.layout.shard(name, number) in shards
        ]

    def same_as(self, other: "Survey | None") -> bool:
        """Whether nothing was created, deleted, made anew or given more partitions since."""
        return other is not None and _outline(self.topics) == _outline(other.topics)


def _outline(topics: Mapping[str, TopicInfo]) -> dict[str, tuple[int, str]]:
    return {name: (info.partitions, info.topic_id) for name, info in topics.items()}


async def survey(log: EventLog, manifest: Manifest) -> Survey:
    """Look at the log."""
    found = await log.topics()
    topics = {
        name: found[name]
        for name in manifest.topics
        if name in found and not (manifest.family_of(name) or "").startswith(NOT_READ)
    }
    return Survey(topics, Layout(manifest.family_of, {name: info.partitions for name, info in topics.items()}))
