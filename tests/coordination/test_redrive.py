"""What goes back is what failed, byte for byte; and no dead letter leads where its author may not write."""

import pytest

from coordination.agent.deadletter import Reason, dead_letter
from coordination.eventlog import NewRecord, StoredRecord
from coordination.manifest import Manifest
from coordination.redrive import COUNT, REDRIVE_ID, Origin, put_back, redrives, refusal

MANIFEST = Manifest()
COMMANDS = "coord.run.task.commands"
HEADERS = (("ce_id", b"1"), ("ce_id", b"2"), ("other", b"\xff"))


def letter(*headers: tuple[str, bytes], topic: str = "dlq.coord.run", value: bytes | None = b"{}") -> StoredRecord:
    return StoredRecord(topic, 1, 7, 0, 1, b"key", value, (*HEADERS, *headers))


def stored(record: NewRecord, offset: int = 7) -> StoredRecord:
    return StoredRecord(record.topic, 0, offset, 0, 1, record.key, record.value, record.headers)


@pytest.mark.parametrize(
    "added",
    [
        [("__dlq.errors.topic", b"a"), ("coordination.errors.stage", b"b")],
        [("__connect.errors.topic", b"a"), ("__connect.errors.exception.class.name", b"b")],
        [("__streams.errors.topic", b"a"), ("__streams.errors.stacktrace", b"b")],
        [("kafka_dlt-original-topic", b"a"), ("kafka_deliveryAttempt", b"\0\0\0\1")],
    ],
)
def test_what_each_family_added_is_taken_off_and_nothing_else(added: list[tuple[str, bytes]]) -> None:
    back = put_back(letter(*added), Origin(COMMANDS), partition=4, redrive_id="r")
    assert (back.topic, back.partition, back.key, back.value) == (COMMANDS, 4, b"key", b"{}")
    assert back.headers == (*HEADERS, (COUNT, b"1"), (REDRIVE_ID, b"r"))


def test_an_agents_dead_letter_goes_back_as_the_record_it_gave_up_and_is_counted_each_time() -> None:
    record = StoredRecord(COMMANDS, 3, 42, 0, 1, b"key", b"{}", HEADERS)
    reason = Reason(stage="handler", code="x", message="no")
    for count in (1, 2, 3):
        given_up = stored(dead_letter(record, reason, group="agent.payer", at=0, manifest=MANIFEST))
        assert refusal(given_up, Origin(COMMANDS, 3), MANIFEST) == ""
        back = put_back(given_up, Origin(COMMANDS, 3), partition=3, redrive_id=f"r{count}")
        assert back.headers == (*HEADERS, (COUNT, str(count).encode()), (REDRIVE_ID, f"r{count}".encode()))
        record = stored(back, 42 + count)
    again = stored(dead_letter(record, reason, group="agent.payer", at=0, manifest=MANIFEST))
    assert "3 times" in refusal(again, Origin(COMMANDS, 3), MANIFEST)


@pytest.mark.parametrize(
    ("given", "topic", "words"),
    [
        (letter(), "", "do not say"),
        (letter(), "orders", "not one of our topics"),
        (letter(), "dlq.coord.run", "not one of our topics"),
        (letter(), "coord.review.approval.events", "another class"),
        (letter(topic="dlq.coord.review"), "coord.review.approval.events", "only Lineside writes"),
        (letter(), "coord.run.decision.commands", "only Lineside writes"),
        (letter(), "coord.ops.commands", "another class"),
        (letter(("coordination.errors.value", b"left out"), value=None), COMMANDS, "too large"),
    ],
)
def test_a_letter_that_leads_elsewhere_is_refused_in_words(given: StoredRecord, topic: str, words: str) -> None:
    assert words in refusal(given, Origin(topic), MANIFEST)


def test_a_count_that_makes_no_sense_is_none() -> None:
    assert [redrives(letter((COUNT, text))) for text in (b"2", b"-1", b"", b"9" * 30, b"\xff")] == [2, 0, 0, 0, 0]
