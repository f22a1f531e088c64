"""The declared topics of this installation against those of its log."""

from coordination.eventlog import EventLog
from coordination.topicplan import Plan, compare
from dashboard.manifest import manifest


async def plan_of(log: EventLog, replication: int = 1) -> Plan:
    """What is missing and what differs, for that many copies of each record. Raises LogUnreachable, LogDenied."""
    ours = manifest()
    return compare(
        ours.specs(replication=replication),
        await log.topics(),
        namespace=ours.namespace,
        shared=ours.co_partitioned(),
        mapped=ours.mapping.topics.keys(),
    )
