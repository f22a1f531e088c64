"""A chain over the records of a partition: whoever changes, removes or adds a stored record breaks it.

The digest of a record covers where it stands, when the log took it in, and every byte it carries. The head after a
record covers its digest and the head before it. So a head that was written down elsewhere vouches for everything
that came before it, and the chain can still be computed where only digests are left of old records.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from coordination.eventlog import Record, StoredRecord

GENESIS: Final = bytes(32)
_encode: Final = msgspec.msgpack.Encoder().encode
_sha256: Final = hashlib.sha256


def record_digest(record: Record | StoredRecord) -> bytes:
    """SHA-256 (32 bytes) of one record: position, timestamp, key, value and headers in their order."""
    where = (record.topic, record.partition, record.offset, record.timestamp, record.timestamp_type)
    return _sha256(_encode((*where, record.key, record.value, tuple(record.headers)))).digest()


def next_head(head: bytes, digest: bytes) -> bytes:
    """The head after a record with this digest."""
    return _sha256(head + digest).digest()


def head_after(head: bytes, digests: Iterable[bytes]) -> bytes:
    """The head after these digests, in offset order."""
    for digest in digests:
        head = _sha256(head + digest).digest()
    return head
