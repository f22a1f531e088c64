"""Records out of one consumer of aiokafka: in chunks, oldest first, with positions, and with an ear for silence.

aiokafka empties one partition's buffer before it looks at the next. Here the next chunk is of the partition whose
last record is the oldest by the log's clock, so that all partitions move on through time together: what belongs
together comes together, causes before effects, and a reader that is behind touches each row less often. Whoever
stood back for a thousand chunks has a turn, however old the rest is: one far behind must not hold up the others.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any, cast

from coordination.eventlog import Record, TopicPartition
from coordination.kafkalog.outage import Outage

CHUNK = 64
PATIENCE = 1_000
# An idle fetch is answered after this long, so a partition silent for much longer has nobody who answers.
FETCH_WAIT_MS = 500
OPTIONS: dict[str, Any] = {
    "enable_auto_commit": False,
    "isolation_level": "read_committed",
    "fetch_max_wait_ms": FETCH_WAIT_MS,
    "fetch_max_bytes": 16 << 20,
    "max_partition_fetch_bytes": 1 << 20,
}


class Stream:
    """What a consumer has fetched, and when each of its partitions was last heard of."""

    def __init__(self, consumer: Any, outage: Outage) -> None:
        self.consumer = consumer
        self._outage = outage
        self._problem: BaseException | None = None
        self._delivered: dict[TopicPartition, float] = {}
        self._reached: dict[TopicPartition, int] = {}
        self._turns: dict[TopicPartition, int] = {}
        self._chunks = 0
        self._opened = time.time()

    async def take(self, max_records: int, timeout: float) -> list[Record]:
        """Up to `max_records`, as soon as there is one, or none after `timeout` seconds. Raises aiokafka's errors."""
        if self._problem is not None:
            problem, self._problem = self._problem, None
            raise problem
        with self._outage.watching():
            return await self._take(max_records, timeout) if max_records > 0 else []

    async def _take(self, max_records: int, timeout: float) -> list[Record]:
        records: list[Record] = []
        try:
            # The limit around it is for a rebalance, during which aiokafka waits without one.
            async with asyncio.timeout(timeout + 0.05):
                await self._chunk(records, max_records, timeout)
        except TimeoutError:
            return records
        while records and len(records) < max_records and not self._rebalancing():
            try:
                if not await self._chunk(records, max_records, 0):
                    break
            except Exception as error:  # what was taken is delivered first, the error with the next call
                self._problem = error
                break
        return records

    async def _chunk(self, records: list[Record], max_records: int, timeout: float) -> bool:
        size = min(CHUNK, max_records - len(records))
        buffered = self.consumer._fetcher._records
        self._chunks += 1
        if len(buffered) > 1:
            buffered.move_to_end(self._next(buffered), last=False)
        fetched = await self.consumer.getmany(timeout_ms=round(timeout * 1000), max_records=size)
        for partition, found in fetched.items():
            records += found
            self._delivered[partition] = time.time()
            self._reached[partition] = found[-1].timestamp
            self._turns[partition] = self._chunks
        return bool(fetched)

    def _next(self, buffered: Iterable[TopicPartition]) -> TopicPartition:
        """Whose turn it is: who stood back for too long, else who reads what is oldest."""
        waits = min(buffered, key=lambda partition: self._turns.setdefault(partition, self._chunks))
        if self._chunks - self._turns[waits] >= PATIENCE:
            return waits
        return min(buffered, key=lambda partition: self._reached.get(partition, -1))

    def positions(self) -> dict[TopicPartition, int]:
        """The next offset of each assigned partition that has a position."""
        states = {partition: self._state(partition) for partition in self.consumer.assignment()}
        return {
            TopicPartition(*partition): state.position
            for partition, state in states.items()
            if state is not None and state.has_valid_position
        }

    def silent(self, partitions: Iterable[TopicPartition], seconds: float) -> list[TopicPartition]:
        """Those of the partitions that no broker has answered for since `seconds` ago."""
        limit = time.time() - seconds
        return [partition for partition in partitions if self._heard(partition) < limit]

    def forget(self, partitions: Sequence[TopicPartition]) -> None:
        """These begin anew (assigned, sought or resumed just now): silence is counted from now on."""
        self._delivered |= dict.fromkeys(partitions, time.time())

    def _heard(self, partition: TopicPartition) -> float:
        state = self._state(partition)
        answered = (state.timestamp or 0) / 1000 if state is not None else 0.0
        return max(answered, self._delivered.get(partition, self._opened))

    def _state(self, partition: TopicPartition) -> Any:
        assignment = self.consumer._subscription.subscription.assignment
        return assignment.state_value(partition) if assignment is not None else None

    def _rebalancing(self) -> bool:
        return cast(bool, self.consumer._subscription.reassignment_in_progress)
