"""Rules of asking: patience with what passes, none with what does not, and an end in any case."""

import time

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, NodeNotReadyError, NotLeaderForPartitionError

from coordination.errors import CoordinationError, LogDenied, LogUnreachable, UnknownTopic
from coordination.eventlog import TopicPartition
from coordination.kafkalog import connection as module
from coordination.kafkalog import parse_address
from coordination.kafkalog.connection import Connection, Transient, by_topic
from coordination.kafkalog.outage import Outage


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    return Connection(parse_address("kafka://nowhere:9092?timeout=0.3"), Outage("nowhere:9092"))


class Attempts:
    """Fails with the given errors, one after the other, then answers 42."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def __call__(self) -> int:
        if self.errors:
            raise self.errors.pop(0)
        return 42


async def test_what_passes_is_tried_again(connection: Connection) -> None:
    passing = (Transient("moving"), NodeNotReadyError(), NotLeaderForPartitionError(), ConnectionResetError())
    assert await connection.patiently("answer", Attempts(*passing)) == 42


async def test_what_does_not_pass_is_told_at_once(connection: Connection) -> None:
    attempts = Attempts(GroupAuthorizationFailedError("g"), ValueError("not reached"))
    with pytest.raises(LogDenied, match="describe group g"):
        await connection.patiently("describe group g", attempts)
    assert len(attempts.errors) == 1


async def test_a_broker_too_new_for_the_client_is_told(connection: Connection) -> None:
    with pytest.raises(CoordinationError, match="v9 has not yet been added"):
        await connection.patiently("answer", Attempts(NotImplementedError("Support for x v9 has not yet been added")))


async def test_patience_ends_and_the_last_reason_is_told(connection: Connection) -> None:
    started = time.monotonic()
    reasons = [Transient("the coordinator moves")] * 1000
    with pytest.raises(LogUnreachable, match=r"did not list within 0\.3 s \(the coordinator moves\)"):
        await connection.patiently("list", Attempts(*reasons))
    assert time.monotonic() - started < 1


async def test_an_unknown_topic_is_given_a_second_to_spread(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [3, 3, 0]

    async def ask(*_: object) -> object:
        code = answers.pop(0)
        return type("Answer", (), {"topics": [(code, "t", False, [(0, 0, 1, [1], [1])] * (code == 0))]})

    monkeypatch.setattr(connection, "ask", ask)
    assert await connection.partition_counts(["t"]) == {"t": 1}
    monkeypatch.setattr(module, "UNKNOWN_SECONDS", 0.05)
    answers[:] = [3] * 1000
    with pytest.raises(UnknownTopic, match="use topic t"):
        await connection.partition_counts(["t"])


def test_requests_group_partitions_by_topic() -> None:
    offsets = {TopicPartition("a", 0): 5, TopicPartition("b", 1): 6, TopicPartition("a", 2): 7}
    assert by_topic(offsets) == [("a", [(0, 5), (2, 7)]), ("b", [(1, 6)])]
