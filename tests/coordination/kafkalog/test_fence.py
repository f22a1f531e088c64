"""Rules of the offset step of a transaction, on a producer that needs no broker."""

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import CommitFailedError, GroupAuthorizationFailedError, KafkaConnectionError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from coordination.kafkalog import fence as module
from coordination.kafkalog.fence import OffsetFence

AT = TopicPartition("t", 1)
OFFSETS = {AT: OffsetAndMetadata(5, "")}


class Producer:
    """Answers the offset step with a given code per call, or fails with a given error."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = deque(answers)
        self.requests: list[Any] = []
        self.committed: list[tuple[Any, ...]] = []
        self.lookups = self.forgotten = 0
        self.client = self
        self._sender = SimpleNamespace(_find_coordinator=self._find, _coordinator_dead=self._forget)
        self.waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._txn_manager = SimpleNamespace(
            transactional_id="tx",
            producer_id=1,
            producer_epoch=0,
            offset_committed=lambda *what: self.committed.append(what),
            _pending_txn_offsets=deque([("g", dict(OFFSETS), self.waiting)]),
        )

    async def _find(self, *_: object) -> int:
        self.lookups += 1
        return 1

    def _forget(self, *_: object) -> None:
        self.forgotten += 1

    async def send(self, node: int, request: Any, group: int) -> Any:
        self.requests.append(request.prepare({28: (0, 3)}))
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(topics=[("t", [(1, answer, {})], {})])


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0)


async def step(producer: Producer) -> None:
    fence = OffsetFence(producer)
    fence.member = ("member", 7)
    await producer._sender._do_txn_offset_commit(OFFSETS, "g")


async def test_offsets_go_out_with_member_and_generation() -> None:
    producer = Producer(0)
    await step(producer)
    assert (producer.requests[0].member_id, producer.requests[0].generation) == ("member", 7)
    assert producer.committed == [(AT, 5, "g")]


@pytest.mark.parametrize("code", [22, 25, 82])
async def test_a_stale_member_is_told_so_and_the_transaction_can_still_be_aborted(code: int) -> None:
    producer = Producer(code)
    await step(producer)
    assert isinstance(producer.waiting.exception(), CommitFailedError)
    assert not producer._txn_manager._pending_txn_offsets
    assert producer.committed == []


@pytest.mark.parametrize("code", [7, 15, 16])
async def test_a_coordinator_that_moved_is_looked_up_again(code: int) -> None:
    producer = Producer(code)
    await step(producer)
    assert producer.forgotten == 1
    assert not producer.waiting.done()


@pytest.mark.parametrize("code", [3, 14, 27])
async def test_what_passes_is_tried_again(code: int) -> None:
    producer = Producer(code)
    await step(producer)
    assert producer.forgotten == 0
    assert not producer.waiting.done()


async def test_a_lost_connection_is_tried_again() -> None:
    producer = Producer(KafkaConnectionError("reset"))
    await step(producer)
    assert producer.forgotten == 1
    assert not producer.waiting.done()


@pytest.mark.parametrize("code", [47, 90])
async def test_a_newer_owner_of_the_transactional_id_ends_the_producer(code: int) -> None:
    with pytest.raises(ProducerFenced):
        await step(Producer(code))


async def test_a_missing_right_is_told() -> None:
    producer = Producer(30)
    await step(producer)
    assert isinstance(producer.waiting.exception(), GroupAuthorizationFailedError)


async def test_one_refusal_among_several_answers_decides() -> None:
    producer = Producer()

    async def send(*_: object, **__: object) -> Any:
        return SimpleNamespace(topics=[("t", [(0, 0, {}), (1, 22, {}), (2, 14, {})], {})])

    producer.send = send  # type: ignore[method-assign,assignment]
    await step(producer)
    assert isinstance(producer.waiting.exception(), CommitFailedError)
    assert producer.committed == []
