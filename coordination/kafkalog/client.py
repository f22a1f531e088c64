"""Every name of aiokafka that the adapter uses, imported in one place because that package ships no types.

Some of them (and the attributes `_coordinator`, `_fetcher`, `_sender`, `_subscription`, `_txn_manager`,
`_message_accumulator` used by the neighbours) are private to aiokafka; its version is pinned, and the tests
against a real broker fail when one of them moves.
"""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka import errors as kafka_errors
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.protocol import types as kafka_types
from aiokafka.protocol.admin import (
    CreateTopicsRequest,
    DeleteTopicsRequest,
    DescribeConfigsRequest,
    DescribeGroupsRequest_v2,
    ListGroupsRequest_v1,
)
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.commit import (
    OffsetCommitRequest,
    OffsetFetchRequest,
)
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.structs import ConsumerRecord

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
    "ListGroupsRequest_v1",
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
