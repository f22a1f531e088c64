"""The chain over what is read: its head moves on with the position, in the same transaction."""

from collections.abc import Mapping, Sequence

from coordination.eventlog import Record, TopicPartition
from coordination.recordchain import GENESIS, next_head, record_digest


def heads_after(records: Sequence[Record], held: Mapping[TopicPartition, str]) -> dict[TopicPartition, str]:
    """The head of each partition after these records, in hex; `held` are the heads before them, empty at the start."""
    heads: dict[tuple[str, int], bytes] = {}
    for record in records:
        place = (record.topic, record.partition)
        head = heads.get(place)
        if head is None:
            before = held.get(TopicPartition(*place), "")
            head = bytes.fromhex(before) if before else GENESIS
        heads[place] = next_head(head, record_digest(record))
    return {TopicPartition(*place): head.hex() for place, head in heads.items()}
