"""Memories: found by work and by idempotency key, read back to the end, forgotten with their partition."""

import asyncio

import pytest

from coordination.agent.handled import Handled, Kind, Status, read_record, record_of, tombstone_of
from coordination.agent.ledger import Ledger, Shelf
from coordination.eventlog import NewRecord, StoredRecord, TopicPartition, TopicSpec
from coordination.memorylog import MemoryLog

TOPIC = "coord.run.state.handled"
COMMANDS = TopicPartition("coord.run.task.commands", 3)


def memory(key: str = "t", group: str = "payer", kind: Kind = "task", status: Status = "working") -> Handled:
    held = Handled(
        group=group,
        kind=kind,
        key=key,
        status=status,
        topic=COMMANDS.topic,
        partition=COMMANDS.partition,
        offset=7,
        updated_at=1,
        idempotency=("default|coordination.task.requested", f"key-of-{key}", "f"),
    )
    held.note("/s", f"id-of-{key}")
    return held


async def log_with(*records: NewRecord) -> MemoryLog:
    log = MemoryLog()
    await log.create_topics([TopicSpec(TOPIC, 12)])
    await log.append(records)
    return log


def test_a_memory_is_found_by_its_work_and_by_its_idempotency_key() -> None:
    shelf, held = Shelf(), memory()
    shelf.keep(held)
    assert shelf.get("task", "t") is held
    assert shelf.get("compensation", "t") is None
    assert shelf.asked_for("default|coordination.task.requested", "key-of-t") is held
    shelf.drop(held)
    assert shelf.asked_for("default|coordination.task.requested", "key-of-t") is None


def test_a_record_gives_the_memory_back_and_stands_on_the_partition_of_its_work() -> None:
    record = record_of(memory(), TOPIC)
    assert (record.partition, record.key) == (3, b"payer|task|t")
    stored = StoredRecord(record.topic, 3, 0, 0, 1, record.key, record.value)
    assert read_record(stored, "payer") == ("task|t", memory())
    assert read_record(stored, "pay") is None


async def test_the_last_memory_of_each_work_of_the_group_is_read_back() -> None:
    log = await log_with(
        record_of(memory(), TOPIC),
        record_of(memory("other", group="writer"), TOPIC),
        record_of(memory("gone"), TOPIC),
        record_of(memory(status="completed"), TOPIC),
        tombstone_of(memory("gone"), TOPIC),
    )
    (found,) = await Ledger("payer", TOPIC).read_back(log, [3, 4])
    assert (found.key, found.status) == ("t", "completed")


async def test_a_memory_that_cannot_be_read_does_not_hide_the_others() -> None:
    broken = NewRecord(TOPIC, b"payer|task|x", b"{oops", (), partition=3)
    log = await log_with(broken, record_of(memory(), TOPIC))
    assert [held.key for held in await Ledger("payer", TOPIC).read_back(log, [3])] == ["t"]


async def test_only_the_memories_of_assigned_partitions_are_taken_over() -> None:
    ledger = Ledger("payer", TOPIC)
    other = TopicPartition("coord.run.task.events", 3)
    assert ledger.take_over([memory()], [other]) == []
    assert len(ledger.take_over([memory()], [COMMANDS, other])) == 1
    ledger.let_go(other)
    assert len(list(ledger)) == 1
    ledger.let_go(COMMANDS)
    assert list(ledger) == []


async def test_an_open_transaction_of_a_predecessor_is_waited_for() -> None:
    log = await log_with(record_of(memory(), TOPIC))
    transaction = log.open_transaction([record_of(memory(status="completed"), TOPIC)])
    ledger = Ledger("payer", TOPIC)
    reading = asyncio.create_task(ledger.read_back(log, [3]))
    await asyncio.sleep(0.1)
    assert not reading.done()
    transaction.commit()
    (found,) = await reading
    assert found.status == "completed"


@pytest.mark.parametrize("events", [1, 50, 1_000])
def test_what_was_seen_stays_bounded_and_begins_with_the_command(events: int) -> None:
    held = memory()
    for number in range(events):
        held.note("/relay", str(number))
    assert len(held.seen) <= 101
    assert held.seen[0] == ("/s", "id-of-t")
    assert held.seen[-1] == ("/relay", str(events - 1))
