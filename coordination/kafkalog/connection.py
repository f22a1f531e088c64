"""One client for questions: it finds the broker to ask, tries again while that can help, and never for ever."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from coordination.errors import LogUnreachable, UnknownTopic
from coordination.eventlog import TopicPartition
from coordination.kafkalog.address import KafkaAddress
from coordination.kafkalog.bootstrap import bootstrap
from coordination.kafkalog.client import AIOKafkaClient, ConnectionGroup, CoordinationType, kafka_errors
from coordination.kafkalog.outage import Outage
from coordination.kafkalog.refusal import refusal, refused_code
from coordination.kafkalog.wire import ask_metadata

logger = logging.getLogger("coordination.kafkalog")

Answer = TypeVar("Answer")

RETRY_SECONDS = 0.1
# A topic that was just created is not yet known to every broker of a cluster.
UNKNOWN_SECONDS = 1.0


class Transient(Exception):
    """The broker asks for patience: the coordinator moves, a leader is being chosen."""


class Connection:
    """Questions to a cluster, each within `address.timeout` seconds; raises LogUnreachable after that."""

    def __init__(self, address: KafkaAddress, outage: Outage) -> None:
        self.address = address
        self.outage = outage
        self._client: Any = None
        self._opening = asyncio.Lock()

    async def patiently(self, doing: str, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """The result of `attempt`, repeated while it fails for reasons that pass. Raises our own errors only."""
        reasons: list[BaseException] = []
        try:
            with self.outage.watching():
                async with asyncio.timeout(self.address.timeout):
                    answer = await _persistently(attempt, reasons)
        except TimeoutError as error:
            raise self._unanswered(doing, reasons[-1] if reasons else None) from error
        except (kafka_errors.KafkaError, OSError, NotImplementedError) as error:
            raise refusal(error, doing) from error  # (aiokafka's word for a broker that is too new for it)
        self.outage.answered()
        return answer

    async def ask(self, request: Any, node: Any = None, group: int = ConnectionGroup.DEFAULT) -> Any:
        """The answer of one broker (any, unless `node` names one); for use inside `patiently`."""
        client = await self._opened()
        return await client.send(client.get_random_node() if node is None else node, request, group=group)

    async def ask_coordinator(self, name: str, request: Any) -> Any:
        """The answer of the broker that coordinates the consumer group `name`; for use inside `patiently`."""
        client = await self._opened()
        node = await client.coordinator_lookup(CoordinationType.GROUP, name)
        return await client.send(node, request, group=ConnectionGroup.COORDINATION)

    async def ask_controller(self, request: Any) -> Any:
        """The answer of the controller, or of any broker where it stands in for the controller (KRaft)."""
        client = await self._opened()
        controller = client.cluster.controller
        return await self.ask(request, controller.nodeId if controller else None)

    async def nodes(self) -> list[Any]:
        """Ids of the brokers; for use inside `patiently`."""
        client = await self._opened()
        await client.force_metadata_update()
        return [broker.nodeId for broker in client.cluster.brokers()]

    async def leaders(self, partitions: Iterable[TopicPartition]) -> dict[Any, list[TopicPartition]]:
        """Partitions by leading broker; those that do not exist are missing. For use inside `patiently`."""
        client = await self._opened()
        wanted = list(partitions)
        if any((client.cluster.leader_for_partition(partition) or -1) == -1 for partition in wanted):
            await client.force_metadata_update()
        found: dict[Any, list[TopicPartition]] = {}
        for partition in wanted:
            leader = client.cluster.leader_for_partition(partition)
            if leader == -1:
                raise Transient(f"{partition.topic}[{partition.partition}] has no leader at the moment")
            if leader is not None:
                found.setdefault(leader, []).append(partition)
        return found

    async def forget_leaders(self) -> None:
        """The broker says it is not the leader (any more): learn who is."""
        await (await self._opened()).force_metadata_update()

    async def partition_counts(self, topics: Iterable[str]) -> dict[str, int]:
        """Number of partitions per topic. Raises UnknownTopic (after a second of grace) and LogDenied."""
        names = sorted(set(topics))
        give_up = asyncio.get_running_loop().time() + UNKNOWN_SECONDS

        async def attempt() -> dict[str, int]:
            answer = await self.ask(ask_metadata(names))
            try:
                return dict(map(_partition_count, answer.topics))
            except UnknownTopic as error:
                if asyncio.get_running_loop().time() < give_up:
                    raise Transient(str(error)) from error
                raise

        return await self.patiently(f"describe topic {', '.join(names)}", attempt) if names else {}

    async def ping(self) -> None:
        """Raises LogUnreachable when no broker answers."""
        await self.patiently("answer", lambda: self.ask(ask_metadata([])))

    async def close(self) -> None:
        """End the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _opened(self) -> Any:
        async with self._opening:
            if self._client is None:
                with self.outage.watching():
                    client = AIOKafkaClient(**self.address.options())
                    await bootstrap(client, self.address)
                self._client = client
            return self._client

    def _unanswered(self, doing: str, reason: BaseException | None) -> LogUnreachable:
        cause = str(reason) or self.outage.cause or "no answer"
        return LogUnreachable(f"Kafka at {self.address} did not {doing} within {self.address.timeout:g} s ({cause}).")


def by_topic(partitions: Mapping[TopicPartition, Any]) -> list[tuple[str, list[tuple[int, Any]]]]:
    """Values by partition in the shape most requests want: topic, then (partition, value)."""
    topics: dict[str, list[tuple[int, Any]]] = {}
    for (topic, number), value in partitions.items():
        topics.setdefault(topic, []).append((number, value))
    return list(topics.items())


async def _persistently(attempt: Callable[[], Awaitable[Answer]], reasons: list[BaseException]) -> Answer:
    while True:
        try:
            return await attempt()
        except (Transient, kafka_errors.KafkaError, OSError) as error:
            if not _passes(error):
                raise
            reasons.append(error)
        await asyncio.sleep(RETRY_SECONDS)


def _passes(error: BaseException) -> bool:
    if isinstance(error, kafka_errors.SaslAuthenticationFailed | kafka_errors.UnknownTopicOrPartitionError):
        return False
    lasting = kafka_errors.IncompatibleBrokerVersion
    passing = (Transient, OSError, kafka_errors.KafkaConnectionError, kafka_errors.NodeNotReadyError)
    retriable = isinstance(error, kafka_errors.KafkaError) and error.retriable
    return not isinstance(error, lasting) and (isinstance(error, passing) or retriable)


def _partition_count(row: Any) -> tuple[str, int]:
    code, name, *_ = row
    partitions = row[4] if len(row) > 4 else row[3]
    if code == kafka_errors.LeaderNotAvailableError.errno:
        raise Transient(f"topic {name} has no leader at the moment")
    if code:
        raise refused_code(code, name, f"use topic {name}")
    return name, len(partitions)
