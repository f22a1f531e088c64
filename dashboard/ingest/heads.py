"""The chain over what is read: its head moves on with the position, in the same transaction."""

from collections.abc import Mapping, Sequence

from coordination.eventlog import TopicPartition
from coordination.recordchain import GENESIS, next_head
from dashboard.ingest.sorting import Span


def heads_after(spans: Mapping[TopicPartition, Span], held: Mapping[TopicPartition, str]) -> dict[TopicPartition, str]:
    """The head of each partition after these stretches, in hex; `held` are the heads before, empty at the start."""
    return {place: _after(held.get(place, ""), span.digests).hex() for place, span in spans.items()}


def _after(before: str, digests: Sequence[bytes]) -> bytes:
    head = bytes.fromhex(before) if before else GENESIS
    for digest in digests:
        head = next_head(head, digest)
    return head
