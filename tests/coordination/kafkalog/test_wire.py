"""Rules of the requests that are added to the client."""

from typing import Any

import pytest
from aiokafka.errors import IncompatibleBrokerVersion

from coordination.kafkalog import wire

NEW = {3: (0, 13), 9: (1, 10), 15: (0, 6), 16: (0, 5), 28: (0, 5), 44: (0, 1), 69: (0, 1)}
OLD = {3: (0, 8), 9: (0, 5), 15: (0, 2), 16: (0, 2), 28: (0, 2), 44: (0, 0)}


@pytest.mark.parametrize(
    ("request_", "new", "old"),
    [
        (wire.ask_metadata(["t"]), 12, 5),
        (wire.ask_metadata(None), 12, 5),
        (wire.ask_groups(), 5, 1),
        (wire.ask_classic_groups(["g"]), 5, 2),
    ],
)
def test_the_newest_version_that_both_speak_is_sent(request_: wire.Ask, new: int, old: int) -> None:
    assert new == request_.prepare(NEW).API_VERSION
    assert old == request_.prepare(OLD).API_VERSION
    request_.prepare(OLD).encode()


@pytest.mark.parametrize(
    "request_",
    [
        wire.ask_stable_offsets("g", [("t", [0])]),
        wire.ask_txn_offset_commit(("x", 1, 0), "g", ("m", 1), [("t", [(0, 5)])]),
        wire.ask_consumer_groups(["g"]),
        wire.ask_topic_config("t", {"retention.ms": "1"}),
    ],
)
def test_what_an_old_broker_cannot_do_is_said_and_not_left_out(request_: Any) -> None:
    assert request_.prepare(NEW).encode()
    with pytest.raises(IncompatibleBrokerVersion):
        request_.prepare(OLD)
    with pytest.raises(IncompatibleBrokerVersion):
        request_.prepare({})


def test_a_commit_names_member_and_generation_on_the_wire() -> None:
    request = wire.ask_txn_offset_commit(("tx", 258, 3), "group", ("member", 7), [("topic", [(1, 5)])])
    encoded = request.prepare(NEW).encode()
    assert encoded == (
        b"\x03tx\x06group"
        b"\x00\x00\x00\x00\x00\x00\x01\x02"  # producer id 258
        b"\x00\x03"  # producer epoch
        b"\x00\x00\x00\x07\x07member\x00"  # generation, member id, no instance id
        b"\x02\x06topic\x02"
        b"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x05\xff\xff\xff\xff\x01\x00"  # partition, offset, epoch, text
        b"\x00\x00"
    )


def test_metadata_never_create_a_topic() -> None:
    assert wire.ask_metadata(["t"]).prepare(OLD).encode().endswith(b"t\x00")
    assert wire.ask_metadata(["t"]).prepare(NEW).may_create is False


def test_a_topic_id_is_written_as_kafka_prints_it() -> None:
    assert wire.topic_id_text(bytes(range(16))) == "AAECAwQFBgcICQoLDA0ODw"
