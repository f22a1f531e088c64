"""Anchoring: heads of what ingest read go into the audit trail, and heads of the trail go onto the log.

A chain in a database can be written anew by whoever may write the database. Once its head stands on the log, which
others keep and read, it cannot: `manage.py verify_audit` compares. Between two heads lies the tail that is not
anchored yet; half a minute is how long that is while anything happens.
"""

from typing import Any, Final

from coordination.encoding import new_event
from coordination.eventlog import NewRecord
from coordination.instants import rfc3339
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.databasethread import DatabaseThread
from dashboard.eventlog import open_eventlog
from dashboard.manifest import manifest
from dashboard.models import Audit, AuditHead, Position
from dashboard.outbox import AUTHOR, event_id, source

SECOND: Final = 1_000_000
RECORDS_EVERY: Final = 300 * SECOND
ACT: Final = "records.anchored"
EVENT: Final = "audit.anchored"
Chain = tuple[str, int, int, int]
"""A chain over records: topic, partition, the offset it begins at, the batch after which it begins."""


class Anchoring:
    """What one process has anchored; several processes do not disturb each other."""

    def __init__(self) -> None:
        self._entered: dict[Chain, int] = {}

    async def run(self, database: DatabaseThread) -> None:
        """Enter the heads of records where they are due, and publish the head of the trail if it has grown."""
        await database.run(self.enter_heads)
        head = await database.run(unpublished_head)
        if head is None:
            return
        placed = await open_eventlog().append([anchor_record(head)])
        await database.run(_published, head, placed[0])

    def enter_heads(self, *, every: int = RECORDS_EVERY) -> Audit | None:
        """Enter the heads that moved since; None if there is nothing to enter, or somebody did a moment ago."""
        now = database_now()
        if Audit.chain.filter(act=ACT, at__gt=now - every).exists():
            return None
        moved = {chain_of(row): row for row in Position.objects.exclude(head="")}
        moved = {chain: row for chain, row in moved.items() if self._entered.get(chain) != row.next_offset}
        # The heads on the log are records too: alone they are no reason for another entry, and so for another head.
        home = manifest().topic_for(EVENT)
        if all(chain[0] == home for chain in moved):
            return None
        heads = [[*chain, row.next_offset, row.head] for chain, row in sorted(moved.items())]
        entry = enter(AUTHOR, ACT, "log", {"heads": heads})
        self._entered.update((chain, row.next_offset) for chain, row in moved.items())
        return entry


def chain_of(row: Position) -> Chain:
    """The chain a position stands at the end of."""
    return (row.topic, row.partition, row.chain_offset, row.chain_batch)


def unpublished_head() -> Audit | None:
    """The last entry of the trail, unless it or a later one is on the log already."""
    last = Audit.chain.order_by("-number").first()
    published = AuditHead.objects.order_by("-number").first()
    return None if last is None or (published is not None and published.number >= last.number) else last


def anchor_record(head: Audit) -> NewRecord:
    """The record that vouches for the trail up to this entry; the same entry makes the same record."""
    return new_event(
        EVENT,
        manifest=manifest(),
        source=source(),
        agent_id=AUTHOR,
        id=event_id(EVENT, head.number, head.digest),
        time=head.at,
        data={"number": head.number, "digest": head.digest, "at": rfc3339(head.at)},
    )


def _published(head: Audit, placed: Any) -> None:
    AuditHead.objects.get_or_create(
        number=head.number,
        defaults={
            "digest": head.digest,
            "topic": placed.topic,
            "partition": placed.partition,
            "offset": placed.offset,
            "at": database_now(),
        },
    )
