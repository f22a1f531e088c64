"""Which partitions a member owns, since which generation, and from which committed position.

aiokafka calls `on_partitions_revoked` before it joins the next generation and `on_partitions_assigned` after; both
may wait. A partition given anew is paused until its position is known: the group's committed one, once no
transaction holds it any more, or the beginning where there is none or the log no longer has it.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from coordination.errors import CoordinationError, LogUnreachable, MemberFenced
from coordination.eventlog import Ends, TopicPartition
from coordination.kafkalog.client import ConsumerRebalanceListener
from coordination.kafkalog.client import TopicPartition as KafkaTopicPartition
from coordination.kafkalog.connection import Connection
from coordination.kafkalog.offsets import ends, stable_commits
from coordination.kafkalog.stream import Stream

logger = logging.getLogger("coordination.kafkalog")

_UNSTABLE_SECONDS = 0.1


class Ownership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """What one member owns. `problem` is an error to be told at the next poll."""

    def __init__(
        self, connection: Connection, group: str, stream: Stream, patience: float, identified: Callable[[str], None]
    ) -> None:
        self.member_id = ""
        self.generation = -1
        self.problem: CoordinationError | None = None
        self.polling = asyncio.Event()
        self.committing = asyncio.Lock()
        self._connection = connection
        self._group = group
        self._stream = stream
        self._patience = patience
        self._identified = identified
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._paused: set[TopicPartition] = set()
        self._committed: dict[TopicPartition, int | None] = {}
        self._began: dict[TopicPartition, int] = {}
        self._kept: dict[TopicPartition, int] = {}
        self._settling: asyncio.Task[None] | None = None

    @property
    def expelled(self) -> bool:
        """Whether the group does not know this member any more; aiokafka then joins under another id."""
        return bool(self.member_id) and self._stream.consumer._coordinator.member_id != self.member_id

    @property
    def assigned(self) -> frozenset[TopicPartition]:
        """Partitions of this member, those included whose position is still looked up."""
        return self._assigned

    @property
    def fetchable(self) -> list[TopicPartition]:
        """Partitions from which records may come now."""
        return [partition for partition in self._committed if partition not in self._paused]

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Return no records of these until resumed; a rebalance does not resume them."""
        self._paused.update(self._assigned.intersection(partitions))
        self._stream.consumer.pause(*_kafkas(self._assigned.intersection(partitions)))

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Undo `pause`."""
        self._paused.difference_update(partitions)
        resumed = [partition for partition in partitions if partition in self._committed]
        self._stream.forget(resumed)
        self._stream.consumer.resume(*_kafkas(resumed))

    async def settled(self) -> None:
        """Wait until the positions of all assigned partitions are known."""
        if self._settling is not None:
            await asyncio.wait([self._settling])

    def to_commit(self, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """The positions to commit: those asked for, else one known already. Raises MemberFenced if not owned."""
        for partition, offset in offsets.items():
            if partition not in self._committed:
                raise MemberFenced(f"{_name(partition)} is not assigned to this member of {self._group} (any more).")
            if offset < (self._committed[partition] or 0):
                raise MemberFenced(
                    f"{_name(partition)} was with another member of {self._group} meanwhile: its position is already "
                    f"{self._committed[partition]}, after {offset}."
                )
        return dict(offsets) or self._any_position()

    def committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        """These positions stand in the log now."""
        self._committed |= {partition: at for partition, at in offsets.items() if partition in self._committed}

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        """Let go of everything, once the member polls again (or takes too long) and no commit is under way."""
        if revoked and not self.expelled:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await self.polling.wait()
                    async with self.committing:
                        pass
        if self._settling is not None:
            self._settling.cancel()
        self._settling = None
        positions = self._stream.positions()
        self._kept = {partition: positions[partition] for partition in self._committed if partition in positions}
        self._assigned = frozenset()

    async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        """Take what is given: what was held in the generation before goes on, the rest is looked up."""
        coordinator = self._stream.consumer._coordinator
        partitions = frozenset(TopicPartition(*partition) for partition in assigned)
        self._stream.consumer.pause(*_kafkas(partitions))
        if self.expelled:
            return
        follows = coordinator.generation == self.generation + 1
        kept = {partition: at for partition, at in self._kept.items() if follows and partition in partitions}
        self.member_id, self.generation = coordinator.member_id, coordinator.generation
        self._identified(self.member_id)
        self._assigned, self._paused = partitions, self._paused & partitions
        before, self._committed = self._committed, {}
        for partition, at in kept.items():
            self._begin(partition, at, before[partition])
        fresh = partitions - kept.keys()
        self._settling = asyncio.create_task(self._settle(fresh)) if fresh else None

    def release(self) -> None:
        """The member leaves: nothing waits for its polls any more."""
        self.polling.set()
        if self._settling is not None:
            self._settling.cancel()

    async def _settle(self, fresh: Collection[TopicPartition]) -> None:
        waiting = sorted(fresh)
        while waiting:
            try:
                committed, unstable = await stable_commits(self._connection, self._group, waiting)
                ready = [partition for partition in waiting if partition not in unstable]
                found = await ends(self._connection, ready)
            except LogUnreachable:
                await asyncio.sleep(_UNSTABLE_SECONDS)
                continue
            except CoordinationError as error:
                self.problem = error
                return
            for partition, kept in found.items():
                self._begin(partition, _start(partition, committed.get(partition), kept), committed.get(partition))
            if waiting := sorted(unstable):
                await asyncio.sleep(_UNSTABLE_SECONDS)

    def _begin(self, partition: TopicPartition, at: int, committed: int | None) -> None:
        self._committed[partition] = committed if committed is None or committed <= at else None
        self._began[partition] = at
        self._stream.consumer.seek(KafkaTopicPartition(*partition), at)
        if partition not in self._paused:
            self.resume([partition])

    def _any_position(self) -> dict[TopicPartition, int]:
        for partition, at in self._committed.items():
            if at is not None:
                return {partition: at}
        for partition in self._committed:
            return {partition: self._began[partition]}
        raise MemberFenced(f"No partition is assigned to this member of {self._group}, so it may not write.")


def _start(partition: TopicPartition, committed: int | None, kept: Ends) -> int:
    if committed is None or kept.begin <= committed <= kept.high:
        return kept.begin if committed is None else committed
    logger.warning(
        "The committed position %d of %s is not in the log, which holds %d to %d: it begins anew at %d.",
        *(committed, _name(partition), kept.begin, kept.high, kept.begin),
    )
    return kept.begin


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}[{partition.partition}]"


def _kafkas(partitions: Collection[TopicPartition]) -> list[Any]:
    return [KafkaTopicPartition(*partition) for partition in partitions]
