"""Rules of what is logged while Kafka does not answer."""

import logging
from collections.abc import Iterator

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import SaslAuthenticateRequest

from coordination.kafkalog import outage as module
from coordination.kafkalog.outage import Outage

client = logging.getLogger("aiokafka")


@pytest.fixture(autouse=True)
def _level(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING, "aiokafka"):
        yield


class Clock:
    """Stands in for the time module."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def complain(clock: Clock, seconds: float) -> None:
    """What aiokafka does in an outage: ten lines a second."""
    for _ in range(round(seconds * 10)):
        client.error("Unable connect to node with id %s: %s", 1, KafkaConnectionError("refused"))
        client.error("Unable to update metadata from %s", [1])
        clock.now += 0.1


def test_an_outage_is_one_line_at_its_beginning_and_one_at_its_end(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    outage = Outage("broker:9092")
    with outage.watching():
        complain(clock, 60)
    assert len(caplog.messages) == 1
    assert "Trouble with Kafka at broker:9092: Unable connect to node" in caplog.messages[0]
    clock.now += 10
    outage.answered()
    outage.answered()
    assert len(caplog.messages) == 2
    assert "answers again after 70 s of trouble; 1200 lines" in caplog.messages[1]


def test_trouble_that_is_over_within_a_second_is_not_logged(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("broker:9092")
    with outage.watching():
        for _ in range(5):
            complain(clock, 0.8)
            clock.now += 60
            outage.answered()
    assert caplog.messages == []


def test_one_broker_of_several_that_stays_away_is_still_one_line(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    outage = Outage("broker:9092")
    with outage.watching():
        for _ in range(100):
            complain(clock, 0.5)
            outage.answered()  # the others do answer
    assert len(caplog.messages) == 1


def test_a_coordinator_that_moves_after_an_outage_is_no_news(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("broker:9092")
    with outage.watching():
        complain(clock, 5)
        clock.now += 10
        outage.answered()
        client.warning("Marking the coordinator dead (node %s)for group %s.", 1, "agent.a")
    assert len(caplog.messages) == 2


def test_the_next_outage_is_logged_again(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("broker:9092")
    with outage.watching():
        for _ in range(2):
            complain(clock, 5)
            clock.now += 10
            outage.answered()
    assert len(caplog.messages) == 4


def test_lines_of_other_users_of_the_client_pass(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with Outage("broker:9092").watching():
        complain(clock, 5)
    caplog.clear()
    complain(clock, 5)
    assert len(caplog.messages) == 100


def test_another_warning_is_shown_once_a_minute(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with Outage("broker:9092").watching():
        for _ in range(1190):
            client.warning("Not authorized to read from topic %s.", "secret")
            clock.now += 0.1
    assert caplog.messages == ["Not authorized to read from topic secret."] * 2


def test_an_unexpected_exception_is_shown_even_in_an_outage(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with Outage("broker:9092").watching():
        complain(clock, 5)
        try:
            raise ValueError("a bug")
        except ValueError:
            client.exception("Unexpected error in fetcher routine")
    assert caplog.messages[-1] == "Unexpected error in fetcher routine"


def test_a_request_with_a_password_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    connection = logging.getLogger("aiokafka.conn")
    request = SaslAuthenticateRequest(b"\0alice\0hush").prepare({36: (0, 1)})
    with caplog.at_level(logging.DEBUG, "aiokafka.conn"):
        connection.debug("Request to %s:%d %d: %s", "h", 9092, 1, request)
        connection.debug("Request to %s:%d %d: %s", "h", 9092, 1, "another")
    assert caplog.messages == ["Request to h:9092 1: another"]
