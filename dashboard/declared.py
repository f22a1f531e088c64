"""The declared topics of this installation against those of its log."""

from collections.abc import Mapping

from coordination.eventlog import EventLog, TopicInfo
from coordination.topicplan import Plan, compare
from dashboard.manifest import manifest


async def plan_of(log: EventLog, replication: int = 1) -> Plan:
    """What is missing and what differs, for that many copies of each record. Raises LogUnreachable, LogDenied."""
    return compared(await log.topics(), replication)


def compared(found: Mapping[str, TopicInfo], replication: int = 1) -> Plan:
    """The same, from the topics that were found."""
    ours = manifest()
    return compare(
        ours.specs(replication=replication),
        found,
        namespace=ours.namespace,
        shared=ours.co_partitioned(),
        mapped=ours.mapping.topics.keys(),
    )
