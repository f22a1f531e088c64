"""The heads of the audit trail that stand on the log, read from the log itself."""

from collections.abc import Sequence
from typing import Any

import msgspec

from coordination.envelope import Decoder
from coordination.errors import MalformedRecord
from coordination.eventlog import EventLog
from coordination.manifest import Manifest
from dashboard.anchoring import EVENT
from dashboard.audit import Broken
from dashboard.models import Audit, AuditHead
from dashboard.wholetopic import records_of


class PublishedHead(msgspec.Struct, frozen=True):
    """One head on the log: the entry's number and digest, and where the record stands."""

    number: int
    digest: str
    place: str


async def published_heads(log: EventLog, manifest: Manifest) -> list[PublishedHead]:
    """All heads that are still on the log. Raises what the log raises when it is out of reach."""
    decoder, found = Decoder(manifest), []
    async for record in records_of(log, manifest.topic_for(EVENT)):
        if any(name.lower() == "ce_type" and value.endswith(EVENT.encode()) for name, value in record.headers):
            head = _head(decoder, record)
            if head is not None:
                found.append(head)
    return sorted(found, key=lambda head: head.number)


def _head(decoder: Decoder, record: Any) -> PublishedHead | None:
    try:
        event = decoder.decode(record)
    except MalformedRecord:
        return None
    place = f"{record.topic}-{record.partition}@{record.offset}"
    return PublishedHead(event.data.number, event.data.digest, place) if event.known else None


def first_contradiction(heads: Sequence[PublishedHead]) -> Broken | None:
    """The first head that says something else than the trail does now."""
    entries = dict(Audit.chain.filter(number__in=[head.number for head in heads]).values_list("number", "digest"))
    for head in heads:
        if head.number not in entries:
            return Broken(head.number, f"entry {head.number} was there once and is gone, as {head.place} says")
        if entries[head.number] != head.digest:
            return Broken(head.number, f"entry {head.number} is another one than it was, as {head.place} says")
    return None


def stored_heads() -> list[PublishedHead]:
    """The heads as this database remembers having published them: second best, where the log is out of reach."""
    return [
        PublishedHead(head.number, head.digest, f"{head.topic}-{head.partition}@{head.offset}")
        for head in AuditHead.objects.order_by("number")
    ]
