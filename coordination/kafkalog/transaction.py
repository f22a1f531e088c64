"""Transactions: records, and positions of a consumer group if there are any, all visible at once or never.

A transactional id has one owner; opening it aborts the former owner's open transaction and fences it. After any
failure the producer is thrown away, since aiokafka's numbering may have a hole then. A transaction that runs out of
time while it is being committed is of unknown outcome; before that, nothing of it will ever be visible.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from coordination.errors import CoordinationError, LogUnreachable, MemberFenced
from coordination.eventlog import Appended, NewRecord, TopicPartition, check_records
from coordination.kafkalog.batches import BATCH_BYTES, Placed, Sending, acknowledged, look_at, place, send
from coordination.kafkalog.client import AIOKafkaProducer
from coordination.kafkalog.client import TopicPartition as KafkaTopicPartition
from coordination.kafkalog.connection import Connection
from coordination.kafkalog.fence import OffsetFence
from coordination.kafkalog.lifecycle import Endings, end_producer, start
from coordination.kafkalog.refusal import refusal
from coordination.partitioner import Placement

logger = logging.getLogger("coordination.kafkalog")

# A crashed owner's open transaction holds readers up for at most so much longer than a commit may take.
_SLACK_SECONDS = 5.0


class GroupOffsets(NamedTuple):
    """Positions to commit in a transaction, as the member with this id and generation of the group."""

    group: str
    member_id: str
    generation: int
    offsets: Mapping[TopicPartition, int]


class TransactionalProducer:
    """The owner of one transactional id. `usable` is False after a failure: open a new one then."""

    def __init__(self, connection: Connection, placement: Placement, endings: Endings, producer: Any) -> None:
        self.usable = True
        self._connection = connection
        self._placement = placement
        self._endings = endings
        self._producer = producer
        self._fence = OffsetFence(producer)
        self._committing = False

    async def transact(self, records: Sequence[NewRecord], offsets: GroupOffsets | None = None) -> list[Appended]:
        """One transaction. Raises LogUnreachable (the message says whether the outcome is known), MemberFenced …"""
        check_records(records)
        with self._connection.outage.watching():
            return await self._transact(Sending(records), offsets)

    async def _transact(self, sending: Sending, offsets: GroupOffsets | None) -> list[Appended]:
        placed = await self._placed(sending)
        self._committing = False
        try:
            async with asyncio.timeout(self._connection.address.timeout):
                await self._run(sending, placed, offsets)
        except BaseException as error:
            self.usable = False
            await self._abandon(sending, placed, error)
            if isinstance(error, Exception):
                raise self._failure(error) from error
            raise
        self._connection.outage.answered()
        return sending.appended()

    async def close(self) -> None:
        """End the producer, unless a failure has done so already."""
        if self.usable:
            self.usable = False
            await end_producer(self._producer, self._connection.address.timeout)

    async def _placed(self, sending: Sending) -> Placed:
        try:
            async with asyncio.timeout(self._connection.address.timeout):
                return await place(self._connection, self._producer, self._placement, sending.records)
        except Exception as error:
            raise refusal(error, "place the records of a transaction") from error

    async def _run(self, sending: Sending, placed: Placed, offsets: GroupOffsets | None) -> None:
        await self._producer.begin_transaction()
        await send(self._producer, sending, placed)
        if offsets is not None:
            self._fence.member = (offsets.member_id, offsets.generation)
            rows = {KafkaTopicPartition(*at): offset for at, offset in offsets.offsets.items()}
            await self._producer.send_offsets_to_transaction(rows, offsets.group)
        await acknowledged(self._connection, self._producer, sending)
        self._committing = True
        await self._producer.commit_transaction()

    async def _abandon(self, sending: Sending, placed: Placed, error: BaseException) -> None:
        sending.disown()
        # An abort that overtakes a record still on its way would leave that record open for ever. And one that
        # follows a commit under way would decide what is better found out. Both end with the id's next opening.
        if not self._committing and not sending.unfinished() and isinstance(error, Exception):
            await self._abort(placed)
        self._endings.begin(self._producer, 0.0)

    async def _abort(self, placed: Placed) -> None:
        manager = self._producer._txn_manager
        if (ended := manager.wait_for_transaction_end()) is not None:
            look_at(ended)
        if ended is None or manager.is_fatal_error():
            return
        # aiokafka forgets the partitions of a transaction in error, and would then not tell the broker to abort it.
        manager._txn_partitions.update(KafkaTopicPartition(*partition) for partition in placed)
        try:
            async with asyncio.timeout(self._connection.address.timeout):
                await self._producer.abort_transaction()
        except Exception as error:
            logger.warning("A transaction is left to its time limit, since it could not be aborted: %r", error)

    def _failure(self, error: Exception) -> CoordinationError:
        address = self._connection.address
        failure = refusal(error, "write a transaction")
        if self._committing:
            unknown = "Its outcome is unknown: open anew and read back."
            kind = MemberFenced if isinstance(failure, MemberFenced) else LogUnreachable
            cause = f"{address.timeout:g} s were not enough" if isinstance(error, TimeoutError) else str(failure)
            return kind(f"Kafka at {address} did not confirm the commit of a transaction ({cause}). {unknown}")
        if isinstance(error, TimeoutError):
            what = f"Kafka at {address} did not take a transaction within {address.timeout:g} s"
            return LogUnreachable(f"{what}: nothing of it was committed. Open anew.")
        return failure


async def open_producer(
    connection: Connection, placement: Placement, endings: Endings, transactional_id: str
) -> TransactionalProducer:
    """Take over a transactional id: fence its former owner, abort or finish what that one left open."""
    limit = round((connection.address.timeout + _SLACK_SECONDS) * 1000)
    options = connection.address.options() | {
        "transactional_id": transactional_id,
        "transaction_timeout_ms": limit,
        "max_batch_size": BATCH_BYTES,
        "max_request_size": 4 << 20,
    }
    doing = f"take over the transactional id {transactional_id}"
    producer = await start(connection, lambda: AIOKafkaProducer(**options), doing)
    return TransactionalProducer(connection, placement, endings, producer)


class KafkaTransaction:
    """See coordination.eventlog.Transaction. After an error other than a refused record: open it anew."""

    def __init__(self, producer: TransactionalProducer, transactional_id: str) -> None:
        self.closed = False
        self._producer = producer
        self._id = transactional_id
        self._fenced = False
        self._lock = asyncio.Lock()

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See Transaction.append; concurrent calls are separate transactions, one after the other."""
        async with self._lock:
            if self._fenced:
                raise MemberFenced(f"The transactional id {self._id} has a newer owner; open it anew to take it back.")
            if not self._producer.usable:
                raise LogUnreachable(f"The transaction {self._id} failed earlier or was closed: open it anew.")
            try:
                return await self._producer.transact(records) if records else []
            except MemberFenced:
                self._fenced = True
                raise

    async def close(self) -> None:
        """Give the id up."""
        self.closed = True
        await self._producer.close()


async def open_transaction(
    connection: Connection, placement: Placement, endings: Endings, transactional_id: str
) -> KafkaTransaction:
    """See EventLog.transaction."""
    producer = await open_producer(connection, placement, endings, transactional_id)
    return KafkaTransaction(producer, transactional_id)
