"""What this principal may do with topics, as the cluster says: asked beside the metadata, nothing is tried out."""

from collections.abc import Sequence
from typing import Final

from coordination.kafkalog.connection import Connection
from coordination.kafkalog.wire import ask_metadata

# Kafka's numbers of its operations (org.apache.kafka.common.acl.AclOperation); a right is the bit of that number.
READ: Final = "read"
WRITE: Final = "write"
_BITS: Final = {READ: 3, WRITE: 4, "create": 5, "delete": 6, "alter": 7, "describe": 8}
_NOT_TOLD: Final = -(1 << 31)
_DENIED: Final = 29


async def topic_rights(connection: Connection, names: Sequence[str]) -> dict[str, frozenset[str]]:
    """Topic -> the rights on it, of those that exist; none for a topic that may not even be described.

    A topic is missing from the answer if the broker does not tell (before Kafka 2.3).
    """
    answer = await connection.patiently(
        "tell the rights on its topics", lambda: connection.ask(ask_metadata(names, with_rights=True))
    )
    told: dict[str, frozenset[str]] = {}
    for row in answer.topics:
        if len(row) == 4:  # a broker that speaks only the old question
            continue
        error, name, _, _, _, bits, *_ = row
        if error == _DENIED:
            told[name] = frozenset()
        elif error == 0 and bits != _NOT_TOLD:
            told[name] = frozenset(right for right, bit in _BITS.items() if bits >> bit & 1)
    return told
