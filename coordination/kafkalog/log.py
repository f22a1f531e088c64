"""The Kafka log: one handle that opens readers, members and transactions, appends, and answers questions."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

from coordination.eventlog import (
    Appended,
    Ends,
    GroupInfo,
    NewRecord,
    TopicInfo,
    TopicPartition,
    TopicSpec,
    check_records,
)
from coordination.kafkalog import groups as group_lists
from coordination.kafkalog import offsets as positions
from coordination.kafkalog import topics as topic_lists
from coordination.kafkalog.address import KafkaAddress, parse_address
from coordination.kafkalog.appender import Appender
from coordination.kafkalog.connection import Connection
from coordination.kafkalog.lifecycle import Endings
from coordination.kafkalog.membership import KafkaMembership, Memberships
from coordination.kafkalog.outage import Outage
from coordination.kafkalog.reader import KafkaReader, open_reader
from coordination.kafkalog.rights import topic_rights
from coordination.kafkalog.transaction import KafkaTransaction, open_transaction
from coordination.partitioner import Placement

Opened = TypeVar("Opened", KafkaReader, KafkaMembership, KafkaTransaction)


def open_kafkalog(url: str) -> "KafkaLog":
    """A handle on the cluster at `kafka://host:9092,host2:9092?security=…` (options: see `address.OPTIONS`).

    Raises CoordinationError with code `bad_log_url`. It connects when first asked for something, and belongs to
    the event loop that asks.
    """
    return KafkaLog(parse_address(url))


class KafkaLog:
    """See coordination.eventlog.EventLog. Every call ends within about the `timeout` of the URL."""

    kind: Literal["memory", "sqlite", "kafka", "http"] = "kafka"
    transactional = True

    def __init__(self, address: KafkaAddress) -> None:
        self.address = address
        self._endings = Endings()
        self._connection = Connection(address, Outage(str(address)))
        self._placement = Placement()
        self._appender = Appender(self._connection, self._placement, self._endings)
        self._memberships = Memberships(self._connection, self._placement, self._endings)
        self._open: list[KafkaReader | KafkaMembership | KafkaTransaction] = []

    def __repr__(self) -> str:
        return f"KafkaLog({self.address!r})"

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See EventLog.append. LogUnreachable says whether nothing was sent or the outcome is unknown."""
        check_records(records)
        return await self._appender.append(records) if records else []

    async def reader(self, positions: Mapping[TopicPartition, int]) -> KafkaReader:
        """See EventLog.reader. Raises UnknownTopic at once."""
        return self._kept(await open_reader(self._connection, positions))

    async def join(
        self, group: str, topics: Sequence[str], *, client_id: str, session_timeout: float = 10.0
    ) -> KafkaMembership:
        """See EventLog.join. The broker may limit `session_timeout` (by default 6 s to 30 min)."""
        return self._kept(await self._memberships.join(group, topics, client_id, session_timeout))

    async def transaction(self, transactional_id: str) -> KafkaTransaction:
        """See EventLog.transaction."""
        opened = await open_transaction(self._connection, self._placement, self._endings, transactional_id)
        return self._kept(opened)

    async def ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Ends]:
        """See EventLog.ends."""
        return await positions.ends(self._connection, partitions)

    async def offsets_for_time(self, partitions: Sequence[TopicPartition], timestamp: int) -> dict[TopicPartition, int]:
        """See EventLog.offsets_for_time; partitions that do not exist are missing."""
        return await positions.offsets_for_time(self._connection, partitions, timestamp)

    async def commits(self, group: str) -> dict[TopicPartition, int]:
        """See EventLog.commits."""
        return await positions.commits(self._connection, group)

    async def set_commits(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """See EventLog.set_commits."""
        await positions.set_commits(self._connection, group, offsets)

    async def groups(self) -> list[GroupInfo]:
        """See EventLog.groups."""
        return await group_lists.list_groups(self._connection)

    async def topics(self) -> dict[str, TopicInfo]:
        """See EventLog.topics."""
        return await topic_lists.list_topics(self._connection)

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """See EventLog.create_topics."""
        await topic_lists.create_topics(self._connection, specs)

    async def configure_topic(self, name: str, config: Mapping[str, str]) -> None:
        """Set these settings of a topic and leave its others alone."""
        await topic_lists.configure_topic(self._connection, name, config)

    async def rights(self, names: Sequence[str]) -> dict[str, frozenset[str]]:
        """What may be done with these topics: see `rights.topic_rights`."""
        return await topic_rights(self._connection, names)

    async def delete_topic(self, name: str) -> None:
        """See EventLog.delete_topic."""
        await topic_lists.delete_topic(self._connection, name)

    async def close(self) -> None:
        """End everything this handle opened, all at the same time."""
        opened, self._open = self._open, []
        await asyncio.gather(self._appender.close(), *(each.close() for each in opened))
        await self._endings.finish()
        await self._connection.close()

    def _kept(self, opened: Opened) -> Opened:
        self._open = [each for each in self._open if not each.closed]
        self._open.append(opened)
        return opened
