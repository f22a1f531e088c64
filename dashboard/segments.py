"""Segments: how stored records are packed, and how they come out again byte for byte.

A segment is zstd over msgpack of a list of StoredRecords. Live segments hold a handful of records, which alone
compress badly, so all share a dictionary: one made-up record of every event type of the catalogue. Its content
is stored beside the segments under an id made of its hash, so a later release may use another one.
"""

import hashlib
import threading
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final
from zlib import crc32

import msgspec
import zstandard

from coordination.eventlog import Record, StoredRecord
from coordination.events import CATALOGUE, EventType
from dashboard.models import Dictionary

LEVEL: Final = 1
TASK_BITS: Final = 63
SEGMENTS_A_BATCH: Final = 65_536

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[StoredRecord])
_ONE: Final = msgspec.msgpack.Decoder(StoredRecord)
_thread = threading.local()

_UUID: Final = b"019a0000-0000-7000-8000-000000000000"
# In the order in which our own writer puts them.
_COMMON: Final = (
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_id", _UUID),
    ("ce_source", b"/default/agents/agent-1/019a0000"),
    ("ce_type", b"coordination."),
    ("ce_subject", b"task/"),
    ("ce_tenant", b"default"),
    ("ce_agentid", b"agent-1"),
    ("ce_agentgroup", b"agent"),
    ("ce_correlationid", _UUID),
    ("ce_causationid", _UUID),
    ("ce_taskid", _UUID),
    ("ce_parenttaskid", _UUID),
    ("ce_targetgroup", b"agent"),
    ("ce_foldkey", b"0123456789abcdef"),
    ("ce_idempotencykey", _UUID),
    ("ce_fanoutid", _UUID),
    ("ce_sequence", b"0000000000000000001"),
    ("ce_partitionkey", _UUID),
    ("ce_attempt", b"1"),
    ("ce_fanoutindex", b"0"),
    ("ce_fanoutcount", b"10"),
    ("ce_time", b"2026-01-01T00:00:00.000000Z"),
    ("ce_expirytime", b"2026-01-01T00:00:00.000000Z"),
    ("ce_timebasis", b"recorded"),
)


def task_bit(task_id: str) -> int:
    """The bit of a task in `Segment.tasks`; 0 for no task. Several tasks may share one."""
    return 1 << crc32(task_id.encode()) % TASK_BITS if task_id else 0


def pack_one(record: Record) -> bytes:
    """One record by itself, not compressed, as it also stands in a segment."""
    if type(record) is StoredRecord:
        return _ENCODER.encode(record)
    place = record.topic, record.partition, record.offset, record.timestamp, record.timestamp_type
    return _ENCODER.encode((*place, record.key, record.value, record.headers))


def unpack_one(content: bytes) -> StoredRecord:
    """The record that `pack_one` packed."""
    return _ONE.decode(content)


class Packer:
    """Packs lists of records with the dictionary of this release. For one thread at a time."""

    def __init__(self) -> None:
        content = dictionary_content()
        self.dictionary_id = dictionary_id(content)
        self.content = content
        raw = zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        raw.precompute_compress(level=LEVEL)
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=raw, write_dict_id=False)

    def keep_dictionary(self) -> None:
        """Store the dictionary unless it is there; before the first segment that needs it."""
        Dictionary.objects.get_or_create(id=self.dictionary_id, defaults={"content": self.content})

    def pack(self, records: Sequence[StoredRecord]) -> bytes:
        """The blob of a segment."""
        return self._compressor.compress(_ENCODER.encode(records))

    def pack_packed(self, packed: Sequence[bytes]) -> bytes:
        """The blob of a segment of records that `pack_one` packed."""
        return self._compressor.compress(_ENCODER.encode([msgspec.Raw(one) for one in packed]))


def unpack(dictionary: int, blob: bytes) -> list[StoredRecord]:
    """The records of a segment, in the order they were read."""
    return _DECODER.decode(_decompressor(dictionary).decompress(blob))


def _decompressor(dictionary: int) -> zstandard.ZstdDecompressor:
    # One per thread: a decompressor must not be used by two threads at once.
    known: dict[int, zstandard.ZstdDecompressor] = _thread.__dict__.setdefault("decompressors", {})
    if dictionary not in known:
        content = bytes(Dictionary.objects.get(id=dictionary).content)
        raw = zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        known[dictionary] = zstandard.ZstdDecompressor(dict_data=raw)
    return known[dictionary]


@cache
def dictionary_content() -> bytes:
    """What the records of this release have in common: one made-up record of each event type."""
    return _ENCODER.encode([_example(entry) for entry in CATALOGUE.values()])


def dictionary_id(content: bytes) -> int:
    """A positive 63-bit id out of the content's SHA-256."""
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") >> 1


def _example(entry: EventType) -> StoredRecord:
    typed = {"ce_type": entry.type.encode(), "ce_subject": f"{entry.subject}/".encode()}
    headers = tuple((name, typed.get(name, value)) for name, value in _COMMON)
    value = msgspec.json.encode(dict.fromkeys(_field_names(entry), ""))
    return StoredRecord(f"coord.{entry.topic}", 0, 0, 1_767_225_600_000, 1, _UUID, value, headers)


def _field_names(entry: EventType) -> Iterable[str]:
    return (field.encode_name for field in msgspec.structs.fields(entry.schema))
