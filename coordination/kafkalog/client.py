"""Every name of aiokafka that the adapter uses, imported in one place because that package ships no types.

Some of them (and the attributes `_coordinator`, `_fetcher`, `_sender`, `_subscription`, `_txn_manager`,
`_message_accumulator` used by the neighbours) are private to aiokafka; its version is pinned, and the tests
against a real broker fail when one of them moves.
"""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]
from aiokafka import errors as kafka_errors
from aiokafka.abc import ConsumerRebalanceListener  # type: ignore[import-untyped]
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType  # type: ignore[import-untyped]
from aiokafka.conn import collect_hosts, create_conn  # type: ignore[import-untyped]
from aiokafka.coordinator.assignors.range import RangePartitionAssignor  # type: ignore[import-untyped]
from aiokafka.coordinator.protocol import ConsumerProtocol  # type: ignore[import-untyped]
from aiokafka.protocol import types as kafka_types  # type: ignore[import-untyped]
from aiokafka.protocol.admin import (  # type: ignore[import-untyped]
    CreateTopicsRequest,
    DeleteTopicsRequest,
    DescribeConfigsRequest,
    DescribeGroupsRequest_v2,
    ListGroupsRequest_v2,
)
from aiokafka.protocol.api import RequestStruct, Response  # type: ignore[import-untyped]
from aiokafka.protocol.commit import (  # type: ignore[import-untyped]
    OffsetCommitRequest,
    OffsetFetchRequest,
)
from aiokafka.protocol.metadata import MetadataRequest_v5  # type: ignore[import-untyped]
from aiokafka.protocol.offset import OffsetRequest  # type: ignore[import-untyped]
from aiokafka.structs import ConsumerRecord  # type: ignore[import-untyped]

__all__ = [
    "AIOKafkaClient",
    "AIOKafkaConsumer",
    "AIOKafkaProducer",
    "ConnectionGroup",
    "ConsumerProtocol",
    "ConsumerRebalanceListener",
    "ConsumerRecord",
    "CoordinationType",
    "CreateTopicsRequest",
    "DeleteTopicsRequest",
    "DescribeConfigsRequest",
    "DescribeGroupsRequest_v2",
    "ListGroupsRequest_v2",
    "MetadataRequest_v5",
    "OffsetCommitRequest",
    "OffsetFetchRequest",
    "OffsetRequest",
    "RangePartitionAssignor",
    "RequestStruct",
    "Response",
    "TopicPartition",
    "collect_hosts",
    "create_conn",
    "kafka_errors",
    "kafka_types",
]
