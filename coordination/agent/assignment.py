"""The partitions an instance is assigned: taking them over, and letting them go.

A partition is taken over in this order: its records are held back, its committed position is asked for, the
memories of its number are read back, what they hold open is taken up, and only then are its records let in.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Final

from coordination.agent.desk import Desk
from coordination.agent.instance import Instance
from coordination.agent.offsets import Offsets
from coordination.errors import CoordinationError
from coordination.eventlog import Membership, Record, TopicPartition

logger: Final = logging.getLogger("coordination.agent")
AGAIN_AFTER: Final = 0.5
MOVING: Final = 5.0


class Assignment:
    """Which partitions are mine, and how far each is done (`offsets`); `let_in` gets the records of ready ones."""

    def __init__(self, instance: Instance, member: Membership, desk: Desk, let_in: Callable[[Record], None]) -> None:
        self._instance, self._member, self._desk, self._let_in = instance, member, desk, let_in
        self.offsets: dict[TopicPartition, Offsets] = {}
        self._held_back: dict[TopicPartition, list[Record]] = {}
        self._loading: asyncio.Task[None] | None = None
        self._last: frozenset[TopicPartition] = frozenset()
        self._assigned_at = 0.0

    def receive(self, record: Record) -> None:
        """A record was polled: let it in, or hold it back until its partition is ready."""
        partition = TopicPartition(record.topic, record.partition)
        if partition in self.offsets:
            self._let_in(record)
        elif partition in self._held_back:
            self._held_back[partition].append(record)

    def follow(self) -> None:
        """Compare with what the member is assigned now."""
        assigned = self._settled()
        known = self.offsets.keys() | self._held_back.keys()
        for partition in known - assigned:
            self._let_go(partition)
        new = assigned - known
        for partition in new:
            self._held_back[partition] = []
            self._member.pause([partition])
        if self._loading is not None and self._loading.done():
            self._loading.result()
            self._loading = None
        if self._held_back and self._loading is None:
            self._loading = asyncio.create_task(self._take_over(frozenset(self._held_back)))

    def _settled(self) -> frozenset[TopicPartition]:
        """What is assigned; while a group moves its partitions, what was assigned before.

        A broker takes all partitions away before it gives most of them back. Dropping the work at once would do
        every task of the group again whenever a member comes or goes; nothing can be written meanwhile anyway.
        """
        assigned = self._member.assignment()
        now = asyncio.get_running_loop().time()
        if assigned or now - self._assigned_at > MOVING:
            self._last, self._assigned_at = assigned, now if assigned else self._assigned_at
        return self._last

    async def close(self) -> None:
        """Stop taking over."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)

    def drop_all(self) -> None:
        """The membership is over: nothing is mine any more."""
        for partition in list(self.offsets):
            self._let_go(partition)

    def _let_go(self, partition: TopicPartition) -> None:
        self._held_back.pop(partition, None)
        if self.offsets.pop(partition, None) is not None:
            self._desk.drop(partition)
            self._instance.ledger.let_go(partition)

    async def _take_over(self, partitions: Collection[TopicPartition]) -> None:
        silent = False
        while True:
            try:
                await self._try(partitions)
            except CoordinationError as error:
                if not silent:
                    logger.warning("Cannot take partitions over, trying again: %s", error)
                silent = True
                await asyncio.sleep(AGAIN_AFTER)
            else:
                return

    async def _try(self, partitions: Collection[TopicPartition]) -> None:
        instance = self._instance
        # Memories first: when they can be read to the end, no transaction of a predecessor holds a position back.
        memories = await instance.ledger.read_back(instance.log, {partition.partition for partition in partitions})
        committed = await instance.log.commits(instance.consumer_group)
        missing = [partition for partition in partitions if partition not in committed]
        begins = {partition: end.begin for partition, end in (await instance.log.ends(missing)).items()}
        # What was taken away while we read is no longer held back, and its memories are somebody else's.
        mine = [partition for partition in partitions if partition in self._held_back]
        for partition in mine:
            self.offsets[partition] = Offsets(committed.get(partition, begins.get(partition, 0)))
        await self._desk.recover(instance.ledger.take_over(memories, mine))
        for partition in mine:
            self._open(partition)

    def _open(self, partition: TopicPartition) -> None:
        records = self._held_back.pop(partition, [])
        if partition not in self.offsets:
            return
        for record in records:
            self._let_in(record)
        self._member.resume([partition])
