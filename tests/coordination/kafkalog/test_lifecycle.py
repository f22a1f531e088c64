"""Clients of Kafka start within the time limit, also beside a broker that is only just back."""

from typing import Any

import pytest

from coordination.errors import LogUnreachable
from coordination.kafkalog import lifecycle, parse_address
from coordination.kafkalog.connection import Connection
from coordination.kafkalog.outage import Outage


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setattr(lifecycle, "_BACK_SECONDS", 0.01)
    return Connection(parse_address("kafka://nowhere:9092?timeout=0.3"), Outage("nowhere:9092"))


class Clients:
    """Makes clients of which the first so many do not know any broker, as aiokafka tells it."""

    def __init__(self, unready: int) -> None:
        self.left = unready
        self.stopped = 0

    def __call__(self) -> Any:
        return self

    async def start(self) -> None:
        if self.left:
            self.left -= 1
            raise AssertionError("Did we not perform bootstrap?")

    async def stop(self) -> None:
        self.stopped += 1


async def test_a_broker_that_names_no_broker_yet_is_asked_again(connection: Connection) -> None:
    clients = Clients(3)
    assert await lifecycle.start(connection, clients, "answer") is clients
    assert clients.stopped == 3


async def test_a_broker_that_never_names_one_ends_the_patience(connection: Connection) -> None:
    with pytest.raises(LogUnreachable, match=r"did not answer within 0\.3 s"):
        await lifecycle.start(connection, Clients(10_000), "answer")
