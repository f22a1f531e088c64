"""Requests of Kafka's protocol that aiokafka lacks or decodes wrongly, on aiokafka's own field types.

Field lists: https://kafka.apache.org/protocol (the JSON files of Apache Kafka's `clients` module).
`DescribeGroups` v3 of aiokafka 0.14 has the wrong answer schema; v2 and our v5 are right.
"""

import base64
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from coordination.kafkalog.client import (
    DescribeGroupsRequest_v2,
    ListGroupsRequest_v1,
    MetadataRequest_v5,
    RequestStruct,
    Response,
    kafka_errors,
    kafka_types,
)

_Array = kafka_types.CompactArray
_BOOL, _BYTES, _INT8 = kafka_types.Boolean, kafka_types.CompactBytes, kafka_types.Int8
_INT16, _INT32, _INT64 = kafka_types.Int16, kafka_types.Int32, kafka_types.Int64
_TEXT = kafka_types.CompactString("utf-8")
_TAGS = ("tags", kafka_types.TaggedFields)
NO_TAGS: dict[int, bytes] = {}

Field = tuple[str, Any]
Offsets = Sequence[tuple[str, Sequence[tuple[int, int]]]]


class _Uuid(kafka_types.AbstractType):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


class Ask:
    """One question in several versions, oldest first; the newest that the broker speaks is sent."""

    def __init__(self, *versions: Any) -> None:
        self._versions = versions

    def prepare(self, spoken: dict[int, tuple[int, int]]) -> Any:
        """Called by aiokafka's connection with the broker's (lowest, highest) version per API key."""
        for request in reversed(self._versions):
            lowest, highest = spoken.get(request.API_KEY, (0, -1))
            if lowest <= request.API_VERSION <= highest:
                return request
        name = type(self._versions[-1]).__name__
        raise kafka_errors.IncompatibleBrokerVersion(f"the broker does not speak {name}")


def _rows(*fields: Field) -> Any:
    return _Array(*fields, _TAGS)


def _pair(name: str, key: int, version: int, request: Sequence[Field], answer: Sequence[Field]) -> Any:
    shape = {"API_KEY": key, "API_VERSION": version}
    answered = type(f"{name}Response", (Response,), {**shape, "SCHEMA": kafka_types.Schema(*answer, _TAGS)})
    asked = {"SCHEMA": kafka_types.Schema(*request, _TAGS), "RESPONSE_TYPE": answered, "FLEXIBLE_VERSION": True}
    return type(f"{name}Request", (RequestStruct,), {**shape, **asked})


_Metadata = _pair(
    *("Metadata", 3, 12),
    [("topics", _rows(("topic_id", _Uuid), ("name", _TEXT))), ("may_create", _BOOL), ("with_rights", _BOOL)],
    [
        ("throttle_ms", _INT32),
        ("brokers", _rows(("node", _INT32), ("host", _TEXT), ("port", _INT32), ("rack", _TEXT))),
        ("cluster_id", _TEXT),
        ("controller", _INT32),
        (
            "topics",
            _rows(
                *(("error", _INT16), ("name", _TEXT), ("topic_id", _Uuid), ("internal", _BOOL)),
                (
                    "partitions",
                    _rows(
                        *(("error", _INT16), ("partition", _INT32), ("leader", _INT32), ("epoch", _INT32)),
                        *(("replicas", _Array(_INT32)), ("isr", _Array(_INT32)), ("offline", _Array(_INT32))),
                    ),
                ),
                ("rights", _INT32),
            ),
        ),
    ],
)
_OffsetFetch = _pair(
    *("OffsetFetch", 9, 7),
    [
        ("group", _TEXT),
        ("topics", _rows(("topic", _TEXT), ("partitions", _Array(_INT32)))),
        ("require_stable", _BOOL),
    ],
    [
        ("throttle_ms", _INT32),
        (
            "topics",
            _rows(
                ("topic", _TEXT),
                (
                    "partitions",
                    _rows(
                        *(("partition", _INT32), ("offset", _INT64), ("epoch", _INT32)),
                        *(("metadata", _TEXT), ("error", _INT16)),
                    ),
                ),
            ),
        ),
        ("error", _INT16),
    ],
)
_TxnOffsetCommit = _pair(
    *("TxnOffsetCommit", 28, 3),
    [
        *(("transactional_id", _TEXT), ("group", _TEXT), ("producer_id", _INT64), ("producer_epoch", _INT16)),
        *(("generation", _INT32), ("member_id", _TEXT), ("instance_id", _TEXT)),
        (
            "topics",
            _rows(
                ("topic", _TEXT),
                (
                    "partitions",
                    _rows(("partition", _INT32), ("offset", _INT64), ("epoch", _INT32), ("metadata", _TEXT)),
                ),
            ),
        ),
    ],
    [
        ("throttle_ms", _INT32),
        ("topics", _rows(("topic", _TEXT), ("partitions", _rows(("partition", _INT32), ("error", _INT16))))),
    ],
)
_ListGroups = _pair(
    *("ListGroups", 16, 5),
    [("states", _Array(_TEXT)), ("types", _Array(_TEXT))],
    [
        ("throttle_ms", _INT32),
        ("error", _INT16),
        ("groups", _rows(("group", _TEXT), ("protocol", _TEXT), ("state", _TEXT), ("type", _TEXT))),
    ],
)
_DescribeGroups = _pair(
    *("DescribeGroups", 15, 5),
    [("groups", _Array(_TEXT)), ("with_rights", _BOOL)],
    [
        ("throttle_ms", _INT32),
        (
            "groups",
            _rows(
                *(("error", _INT16), ("group", _TEXT), ("state", _TEXT), ("protocol", _TEXT), ("assignor", _TEXT)),
                (
                    "members",
                    _rows(
                        *(("member_id", _TEXT), ("instance_id", _TEXT), ("client_id", _TEXT), ("host", _TEXT)),
                        *(("metadata", _BYTES), ("assignment", _BYTES)),
                    ),
                ),
                ("rights", _INT32),
            ),
        ),
    ],
)
_ASSIGNED = _rows(("topic_id", _Uuid), ("topic", _TEXT), ("partitions", _Array(_INT32)))
_ASSIGNMENT = kafka_types.Schema(("topics", _ASSIGNED), _TAGS)
_ConsumerGroupDescribe = _pair(
    *("ConsumerGroupDescribe", 69, 0),
    [("groups", _Array(_TEXT)), ("with_rights", _BOOL)],
    [
        ("throttle_ms", _INT32),
        (
            "groups",
            _rows(
                *(("error", _INT16), ("message", _TEXT), ("group", _TEXT), ("state", _TEXT)),
                *(("epoch", _INT32), ("assignment_epoch", _INT32), ("assignor", _TEXT)),
                (
                    "members",
                    _rows(
                        *(("member_id", _TEXT), ("instance_id", _TEXT), ("rack", _TEXT), ("epoch", _INT32)),
                        *(("client_id", _TEXT), ("host", _TEXT), ("topics", _Array(_TEXT)), ("regex", _TEXT)),
                        *(("assignment", _ASSIGNMENT), ("target", _ASSIGNMENT)),
                    ),
                ),
                ("rights", _INT32),
            ),
        ),
    ],
)
_IncrementalAlterConfigs = _pair(
    *("IncrementalAlterConfigs", 44, 1),
    [
        (
            "resources",
            _rows(
                *(("type", _INT8), ("name", _TEXT)),
                ("configs", _rows(("name", _TEXT), ("operation", _INT8), ("value", _TEXT))),
            ),
        ),
        ("validate_only", _BOOL),
    ],
    [
        ("throttle_ms", _INT32),
        ("resources", _rows(("error", _INT16), ("message", _TEXT), ("type", _INT8), ("name", _TEXT))),
    ],
)


def ask_metadata(topics: Sequence[str] | None, *, with_rights: bool = False) -> Ask:
    """Brokers, and the named topics or all (None); v12 adds topic ids and rights. Never creates a topic."""
    named = None if topics is None else [(bytes(16), topic, NO_TAGS) for topic in topics]
    old = MetadataRequest_v5(None if topics is None else list(topics), False)
    return Ask(old, _Metadata(named, False, with_rights, NO_TAGS))


def ask_stable_offsets(group: str, topics: Sequence[tuple[str, Sequence[int]]]) -> Ask:
    """Committed positions; error 88 for one that an unfinished transaction still holds (KIP-447)."""
    rows = [(topic, list(numbers), NO_TAGS) for topic, numbers in topics]
    return Ask(_OffsetFetch(group, rows, True, NO_TAGS))


def ask_txn_offset_commit(producer: tuple[str, int, int], group: str, member: tuple[str, int], offsets: Offsets) -> Ask:
    """Offsets of a transaction with the member id and generation that must still be valid (KIP-447)."""
    rows = [(topic, [(n, at, -1, "", NO_TAGS) for n, at in parts], NO_TAGS) for topic, parts in offsets]
    transactional_id, producer_id, epoch = producer
    member_id, generation = member
    request = (transactional_id, group, producer_id, epoch, generation, member_id, None, rows, NO_TAGS)
    return Ask(_TxnOffsetCommit(*request))


def ask_groups() -> Ask:
    """All groups one broker coordinates; v5 adds state and type (classic, consumer, share, streams)."""
    return Ask(ListGroupsRequest_v1(), _ListGroups([], [], NO_TAGS))


def ask_classic_groups(groups: Sequence[str]) -> Ask:
    """Members and assignments of groups of the classic protocol."""
    return Ask(DescribeGroupsRequest_v2(list(groups)), _DescribeGroups(list(groups), False, NO_TAGS))


def ask_consumer_groups(groups: Sequence[str]) -> Ask:
    """Members and assignments of groups of the new protocol (KIP-848)."""
    return Ask(_ConsumerGroupDescribe(list(groups), False, NO_TAGS))


def ask_topic_config(topic: str, config: dict[str, str]) -> Ask:
    """Set these settings of a topic and leave all others alone (KIP-339)."""
    settings = [(name, 0, value, NO_TAGS) for name, value in config.items()]
    return Ask(_IncrementalAlterConfigs([(2, topic, settings, NO_TAGS)], False, NO_TAGS))


def topic_id_text(raw: bytes) -> str:
    """A topic id as Kafka's own tools print it: base64 for URLs, 22 characters."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
