"""Membership of a consumer group: polls, hands over, and commits so that no zombie can.

**Fencing.** A commit is one transaction that also carries the positions, sent with the member's id and generation
(KIP-447; aiokafka lacks it, `fence` adds it). The broker refuses it once the member was expelled or the group has
moved on, so one transactional id per member is enough and nothing depends on how topics are partitioned. A member
that is given a partition reads its position only when no transaction holds it any more (`require_stable`), so it
cannot start from a position that a former owner's commit under way is about to move. A commit without positions
carries one that is committed already: it is fenced all the same.

**Handing over.** Kafka takes partitions away when it likes; here the handover waits for the next poll, as in
Kafka's own consumer, so that what was polled can be committed first. It waits no longer than half the session
time-out. A partition that stays with a member from one generation to the next goes on where it was.

**After LogUnreachable from a commit** the member is out: whether anything was committed may be unknown, then
committing again might write everything twice, and polling on would leave out what was not committed. Join anew: the
new member takes over the transactional id, which settles the outcome, and begins at the committed positions.
"""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress

from coordination.errors import CoordinationError, LogUnreachable, MemberFenced
from coordination.eventlog import Appended, NewRecord, Record, TopicPartition, check_records
from coordination.kafkalog.client import AIOKafkaConsumer, RangePartitionAssignor, kafka_errors
from coordination.kafkalog.connection import Connection
from coordination.kafkalog.lifecycle import Endings, end_consumer, start
from coordination.kafkalog.offsets import visible
from coordination.kafkalog.ownership import Ownership
from coordination.kafkalog.refusal import refusal
from coordination.kafkalog.stream import OPTIONS, Stream
from coordination.kafkalog.transaction import GroupOffsets, TransactionalProducer, open_producer
from coordination.partitioner import Placement

_DAY_MS = 24 * 3600 * 1000


class KafkaMembership:
    """See coordination.eventlog.Membership."""

    def __init__(self, home: "Memberships", group: str, stream: Stream, patience: float) -> None:
        self.group = group
        self.member_id = ""  # until the first assignment
        self.closed = False
        self.transactional_id = ""
        self._home = home
        self._stream = stream
        self.ownership = Ownership(home.connection, group, stream, patience, self._identified)
        self._producer: TransactionalProducer | None = None
        self._lost = ""
        self._heard = time.monotonic()

    async def poll(self, max_records: int, timeout: float) -> Sequence[Record]:
        """See Membership.poll."""
        self._check()
        self.ownership.polling.set()
        try:
            records = await self._stream.take(max_records, timeout)
        except (kafka_errors.KafkaError, kafka_errors.ConsumerStoppedError) as error:
            raise self._failure(error) from error
        finally:
            if not self.closed:
                self.ownership.polling.clear()
        if not records:
            self._check()
            await self._check_silence()
        else:
            self._heard = time.monotonic()
            self._home.connection.outage.answered()
        return records

    @property
    def fenced(self) -> bool:
        """Whether the member is out for good: close it and join anew."""
        return bool(self._lost) or self.ownership.expelled

    def assignment(self) -> frozenset[TopicPartition]:
        """See Membership.assignment."""
        return frozenset() if self.ownership.expelled else self.ownership.assigned

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """See Membership.pause. Partitions that are not assigned are left out."""
        self.ownership.pause(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """See Membership.resume."""
        self.ownership.resume(partitions)

    async def commit(self, offsets: Mapping[TopicPartition, int], records: Sequence[NewRecord] = ()) -> list[Appended]:
        """See Membership.commit. After LogUnreachable join anew, as the module says."""
        check_records(records)
        async with self.ownership.committing:
            self._check()
            if not offsets and not records:
                return []
            await self._settled()
            owned = self.ownership
            positions = owned.to_commit(offsets)
            group = GroupOffsets(self.group, owned.member_id, owned.generation, positions)
            try:
                appended = await (await self.open_producer()).transact(records, group)
            except LogUnreachable as error:
                self._lost = f"its last commit failed ({error})"
                raise
            owned.committed(positions)
        with suppress(CoordinationError):  # it is committed, whether that can be seen already or not
            await visible(self._home.connection, self.group, list(positions))
        return appended

    async def open_producer(self) -> TransactionalProducer:
        """The member's producer, opened anew after a failure: that aborts what the failed one left open."""
        if self._producer is None or not self._producer.usable:
            self._producer = await self._home.open_producer(self.transactional_id)
        return self._producer

    async def close(self) -> None:
        """See Membership.close; a second call does nothing."""
        if self.closed:
            return
        self.closed = True
        self._lost = "it was closed"
        self.ownership.release()
        with self._home.connection.outage.watching():
            await end_consumer(self._stream.consumer, self._home.connection.address.timeout)
            if self._producer is not None:
                await self._producer.close()
        self._home.give_back(self.group, self.transactional_id)

    def _identified(self, member_id: str) -> None:
        self.member_id = member_id

    def _check(self) -> None:
        if self.ownership.expelled:
            self._lost = self._lost or "the broker expelled it for silence"
        if self._lost:
            raise MemberFenced(f"This member of group {self.group} is out: {self._lost}. Join anew.")
        if self.ownership.problem is not None:
            problem, self.ownership.problem = self.ownership.problem, None
            raise problem

    def _failure(self, error: Exception) -> Exception:
        failure = refusal(error, f"poll as a member of group {self.group}")
        if failure.code == "log_error":  # aiokafka's group client broke and does not go on by itself
            self._lost = str(failure)
        return MemberFenced(f"{failure} Join anew.") if self._lost else failure

    async def _settled(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._home.connection.address.timeout):
                await self.ownership.settled()

    async def _check_silence(self) -> None:
        address = self._home.connection.address
        if fetchable := self.ownership.fetchable:
            if silent := self._stream.silent(fetchable, address.timeout):
                topic, number = silent[0]
                raise LogUnreachable(
                    f"Kafka at {address} has not answered for {topic}[{number}] and {len(silent) - 1} more for "
                    f"{address.timeout:g} s. Polling goes on by itself when it does."
                )
            self._heard = time.monotonic()
        elif time.monotonic() - self._heard > address.timeout:
            await self._home.connection.ping()
            self._heard = time.monotonic()


class Memberships:
    """Opens members. Transactional ids of members that left are used again, so that they do not pile up."""

    def __init__(self, connection: Connection, placement: Placement, endings: Endings) -> None:
        self.connection = connection
        self._placement = placement
        self._endings = endings
        self._free: dict[str, list[str]] = {}

    async def join(self, group: str, topics: Sequence[str], client_id: str, session_timeout: float) -> KafkaMembership:
        """See EventLog.join. Raises UnknownTopic, LogDenied, LogUnreachable."""
        await self.connection.partition_counts(topics)
        options = self._options(group, client_id, session_timeout)
        consumer = await start(self.connection, lambda: AIOKafkaConsumer(**options), f"join group {group}")
        member = KafkaMembership(self, group, Stream(consumer, self.connection.outage), session_timeout / 2)
        member.transactional_id = self._take_id(group)
        try:
            # Before the first position is read: it settles what a former owner of the id left open.
            await member.open_producer()
            with self.connection.outage.watching():
                consumer.subscribe(list(topics), listener=member.ownership)
        except BaseException:
            await member.close()
            raise
        return member

    async def open_producer(self, transactional_id: str) -> TransactionalProducer:
        """The fenced producer of a member."""
        return await open_producer(self.connection, self._placement, self._endings, transactional_id)

    def give_back(self, group: str, transactional_id: str) -> None:
        """A member has left: another may have its id."""
        self._free.setdefault(group, []).append(transactional_id)

    def _take_id(self, group: str) -> str:
        free = self._free.get(group)
        # It begins with the group's name, so that one prefix rule grants both rights.
        return free.pop() if free else f"{group}-{uuid.uuid4().hex}"

    def _options(self, group: str, client_id: str, session_timeout: float) -> dict[str, object]:
        session_ms = round(session_timeout * 1000)
        # The answer to a request to join may take as long as the slowest member does to hand over.
        patience = max(self.connection.address.timeout, session_timeout) + 5.0
        return {
            **self.connection.address.options(client_id, patience),
            **OPTIONS,
            "group_id": group,
            "auto_offset_reset": "earliest",
            "session_timeout_ms": session_ms,
            "rebalance_timeout_ms": session_ms,
            # A heartbeat is also how a member learns that the group is rebalancing.
            "heartbeat_interval_ms": max(1, min(1000, session_ms // 3)),
            "max_poll_interval_ms": _DAY_MS,
            "partition_assignment_strategy": (RangePartitionAssignor,),
        }
