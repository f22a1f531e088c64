"""Offsets of a transaction that only a living member of the right generation can commit (KIP-447).

aiokafka sends TxnOffsetCommit v0, which names neither member nor generation, so that a zombie's commit passes.
Here the same step of the same sender sends v3 with both. The group coordinator compares them with the group as it
is at that moment, and a member that was expelled, or that missed a rebalance, is refused; then its transaction is
aborted with everything in it. Needs Kafka 2.5 or later.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from coordination.eventlog import TopicPartition
from coordination.kafkalog.client import (
    ConnectionGroup,
    CoordinationType,
    kafka_errors,
)
from coordination.kafkalog.connection import by_topic
from coordination.kafkalog.wire import ask_txn_offset_commit

_STALE = frozenset((22, 25, 82))  # ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID
_OTHER_COORDINATOR = frozenset((7, 15, 16))  # REQUEST_TIMED_OUT, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR
_LATER = frozenset((3, 14, 27))  # UNKNOWN_TOPIC_OR_PARTITION, COORDINATOR_LOAD_IN_PROGRESS, REBALANCE_IN_PROGRESS
_FENCED = frozenset((47, 90))  # INVALID_PRODUCER_EPOCH, PRODUCER_FENCED
_PAUSE = 0.05


class OffsetFence:
    """Takes over the offset step of one transactional producer; `member` is (member id, generation)."""

    def __init__(self, producer: Any) -> None:
        self.member: tuple[str, int] = ("", -1)
        self._producer = producer
        producer._sender._do_txn_offset_commit = self._commit

    async def _commit(self, offsets: Mapping[TopicPartition, Any], group: str) -> None:
        # Called by the sender again and again, until the offsets are committed or given up.
        try:
            node = await self._producer._sender._find_coordinator(CoordinationType.GROUP, group)
            request = self._request(group, offsets)
            answer = await self._producer.client.send(node, request, group=ConnectionGroup.COORDINATION)
        except (kafka_errors.GroupAuthorizationFailedError, kafka_errors.IncompatibleBrokerVersion) as error:
            self._give_up(error)
        except (kafka_errors.KafkaError, OSError):
            await self._look_again()
        else:
            await self._answered(answer, dict(offsets), group)

    def _request(self, group: str, offsets: Mapping[TopicPartition, Any]) -> Any:
        manager = self._producer._txn_manager
        owner = (manager.transactional_id, manager.producer_id, manager.producer_epoch)
        rows = by_topic({partition: value.offset for partition, value in offsets.items()})
        return ask_txn_offset_commit(owner, group, self.member, rows)

    async def _answered(self, answer: Any, offsets: Mapping[TopicPartition, Any], group: str) -> None:
        codes = {(topic, row[0]): row[1] for topic, rows, *_ in answer.topics for row in rows}
        errors = set(codes.values()) - {0}
        if errors & _FENCED:
            raise kafka_errors.ProducerFenced
        if lasting := errors - _OTHER_COORDINATOR - _LATER:
            self._give_up(_error(lasting.pop(), group))
        elif errors & _OTHER_COORDINATOR:
            await self._look_again()
        elif errors:
            await asyncio.sleep(_PAUSE)
        else:
            for partition, value in offsets.items():
                self._producer._txn_manager.offset_committed(partition, value.offset, group)

    async def _look_again(self) -> None:
        self._producer._sender._coordinator_dead(CoordinationType.GROUP)
        await asyncio.sleep(_PAUSE)

    def _give_up(self, error: Exception) -> None:
        # Not the manager's error_transaction(): that forgets what was sent, and the abort would not reach the broker.
        *_, waiting = self._producer._txn_manager._pending_txn_offsets.popleft()
        if not waiting.done():
            waiting.set_exception(error)


def _error(code: int, group: str) -> Exception:
    if code in _STALE:
        stale: Exception = kafka_errors.CommitFailedError(f"the member is not of the group {group} as it is now")
        return stale
    error: Exception = kafka_errors.for_code(code)(group)
    return error
