"""Beginning and end of aiokafka's producers and consumers, both within a time limit.

Left to themselves they wait without end for a broker that is gone, at the start as at the end.
"""

import asyncio
from collections.abc import Callable, Collection
from itertools import chain
from typing import Any

from coordination.errors import CoordinationError, LogUnreachable
from coordination.eventlog import TopicPartition
from coordination.kafkalog.batches import look_at
from coordination.kafkalog.bootstrap import diagnosis
from coordination.kafkalog.client import kafka_errors
from coordination.kafkalog.connection import Connection
from coordination.kafkalog.refusal import refusal

_FORCE_SECONDS = 2.0
_BACK_SECONDS = 0.2


async def start(connection: Connection, make: Callable[[], Any], doing: str) -> Any:
    """The started client object that `make` makes. Raises LogUnreachable and LogDenied, with the true cause."""
    try:
        with connection.outage.watching():
            async with asyncio.timeout(connection.address.timeout):
                while (started := await _started(make())) is None:
                    await asyncio.sleep(_BACK_SECONDS)
    except Exception as error:
        raise await _failure(connection, error, doing) from error
    connection.outage.answered()
    return started


async def _started(client: Any) -> Any | None:
    """The client once it has started; None where a broker that is only just back did not know itself yet."""
    try:
        await client.start()
    except BaseException as error:
        await _stop(client)
        # The metadata of such a broker may name no broker at all; aiokafka only asserts that it never happens.
        if isinstance(error, AssertionError):
            return None
        raise
    return client


async def _failure(connection: Connection, error: Exception, doing: str) -> CoordinationError:
    address = connection.address
    if isinstance(error, TimeoutError):
        cause = connection.outage.cause or "no answer"
        return LogUnreachable(f"Kafka at {address} did not {doing} within {address.timeout:g} s ({cause}).")
    if isinstance(error, kafka_errors.KafkaConnectionError):
        return await diagnosis(address)
    return refusal(error, doing)


async def end_producer(
    producer: Any,
    patience: float,
    hurry: asyncio.Event | None = None,
    hopeless: Collection[TopicPartition] = (),
) -> None:
    """End a producer: what is under way may finish for `patience` seconds or until `hurry`, the rest is given up.

    `hopeless` partitions are not waited for: what is left for them must not be written any more.
    """
    accumulator = producer._message_accumulator
    under_way = [batch.future for batch in _waiting(accumulator) if batch.tp not in hopeless]
    if under_way and patience:
        hurried = asyncio.ensure_future((hurry or asyncio.Event()).wait())
        finished = asyncio.ensure_future(asyncio.wait(under_way))
        await asyncio.wait((hurried, finished), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        finished.cancel()
    _give_up(producer, accumulator)
    producer._closed = True
    await _within(_FORCE_SECONDS, producer._sender.close())
    _disown_transaction(producer._txn_manager)
    await _within(_FORCE_SECONDS, producer.client.close())


async def end_consumer(consumer: Any, patience: float) -> None:
    """End a consumer: it leaves its group, if it has one and the broker answers within `patience` seconds."""
    if await _within(patience, consumer.stop()):
        return
    # It gave up half-way: aiokafka does so when a fetch is cancelled that had not begun.
    if consumer._fetcher is not None:
        await _within(_FORCE_SECONDS, consumer._fetcher.close())
    await _within(_FORCE_SECONDS, consumer._client.close())


class Endings:
    """Producers on their way out in the background, with what others still have under way in them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._hurry = asyncio.Event()

    def begin(self, producer: Any, patience: float, hopeless: Collection[TopicPartition] = ()) -> None:
        """Let a producer end without waiting for it."""
        task = asyncio.create_task(end_producer(producer, patience, self._hurry, hopeless))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Give up what is still under way, and wait until all have ended."""
        self._hurry.set()
        if self._tasks:
            await asyncio.wait(self._tasks)


async def _no_coordinator(*_: Any) -> Any:
    raise kafka_errors.ProducerClosed


def _waiting(accumulator: Any) -> list[Any]:
    return [*chain.from_iterable(accumulator._batches.values()), *accumulator._pending_batches]


def _give_up(producer: Any, accumulator: Any) -> None:
    sender = producer._sender
    if sender.sender_task is not None:
        sender.sender_task.remove_done_callback(sender._fail_all)
    # aiokafka looks for a lost coordinator for ever, and its sender waits for that when it is told to end.
    producer.client.coordinator_lookup = _no_coordinator
    waiting = _waiting(accumulator)
    accumulator.fail_all(kafka_errors.ProducerClosed())
    accumulator.reenqueue = _look_at_batch  # a request that fails now must not bring its batches back
    for batch in waiting:
        _look_at_batch(batch)
    _disown_transaction(producer._txn_manager)


def _look_at_batch(batch: Any) -> None:
    look_at(batch.future)
    look_at(batch._drain_waiter)


def _disown_transaction(manager: Any) -> None:
    futures = [future for *_, future in manager._pending_txn_offsets]
    for future in filter(None, (*futures, manager.wait_for_transaction_end())):
        future.add_done_callback(look_at)


async def _stop(started: Any) -> None:
    if not await _within(_FORCE_SECONDS, started.stop()):
        client = started.client if hasattr(started, "client") else started._client
        await _within(_FORCE_SECONDS, client.close())


async def _within(seconds: float, ending: Any) -> bool:
    """Whether it came to its end within the time. Its errors concern nobody any more."""
    try:
        async with asyncio.timeout(seconds):
            await ending
    except (TimeoutError, kafka_errors.KafkaError, OSError):
        return False
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        return False  # not we were cancelled, but something it waited for
    return True
