"""Rules of transactions on a real broker, beyond the contract."""

import asyncio

import pytest

from coordination.errors import LogUnreachable, MemberFenced, RecordTooLarge
from coordination.eventlog import NewRecord, TopicPartition
from coordination.kafkalog import KafkaLog
from coordination.kafkalog.transaction import KafkaTransaction
from tests.coordination.kafkalog.conftest import MakeTopic, numbered, read_all
from tests.services.kafka import KafkaBroker


async def test_records_sent_before_a_refused_one_never_appear(log: KafkaLog, topic: MakeTopic) -> None:
    roomy, tight = await topic("roomy"), await topic("tight", config={"max.message.bytes": "1000"})
    relay = await log.transaction(f"{roomy}.relay")
    await relay.append(numbered(roomy, range(2)))
    with pytest.raises(RecordTooLarge):
        await relay.append([*numbered(roomy, range(2, 4)), NewRecord(tight, b"k", b"x" * 2000)])
    with pytest.raises(LogUnreachable, match="open it anew"):
        await relay.append(numbered(roomy, range(4, 6)))
    again = await log.transaction(f"{roomy}.relay")
    await again.append(numbered(roomy, range(6, 8)))
    assert await read_all(log, roomy) == {0: [0, 1, 6, 7]}
    assert await read_all(log, tight) == {0: []}


async def test_a_refused_transaction_is_aborted_at_once_so_that_readers_are_not_held_up(
    log: KafkaLog, topic: MakeTopic
) -> None:
    roomy, tight = await topic("roomy"), await topic("tight", config={"max.message.bytes": "1000"})
    relay = await log.transaction(f"{roomy}.relay")
    with pytest.raises(RecordTooLarge):
        await relay.append([*numbered(roomy, range(2)), NewRecord(tight, b"k", b"x" * 2000)])
    async with asyncio.timeout(3):
        while (ends := (await log.ends([TopicPartition(roomy, 0)]))[TopicPartition(roomy, 0)]).stable < ends.high:
            await asyncio.sleep(0.02)


async def test_a_fenced_owner_stays_fenced(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    former = await log.transaction(f"{name}.relay")
    await log.transaction(f"{name}.relay")
    for _ in range(2):
        with pytest.raises(MemberFenced):
            await former.append(numbered(name, range(1)))
    assert await read_all(log, name) == {0: []}


async def test_a_transaction_that_cannot_even_send_says_that_nothing_was_committed(
    kafka: KafkaBroker, hasty: KafkaLog, log: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic()
    relay = await hasty.transaction(f"{name}.relay")
    await relay.append(numbered(name, range(1)))
    kafka.pause()
    with pytest.raises(LogUnreachable, match="nothing of it was committed"):
        await relay.append(numbered(name, range(1, 2)))
    kafka.resume()
    again = await log.transaction(f"{name}.relay")
    await again.append(numbered(name, range(2, 3)))
    assert await read_all(log, name) == {0: [0, 2]}


async def test_a_commit_that_is_not_confirmed_is_of_unknown_outcome_until_the_id_is_opened_anew(
    kafka: KafkaBroker, hasty: KafkaLog, log: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic()
    relay = await hasty.transaction(f"{name}.relay")
    await relay.append(numbered(name, range(1)))
    _pause_before_commit(relay, kafka)
    with pytest.raises(LogUnreachable, match="outcome is unknown"):
        await relay.append(numbered(name, range(1, 2)))
    kafka.resume()
    again = await log.transaction(f"{name}.relay")
    await again.append(numbered(name, range(2, 3)))
    # Either way is right, half a way is not; what the reader sees is what the ends say.
    assert await read_all(log, name) in ({0: [0, 1, 2]}, {0: [0, 2]})


async def test_concurrent_appends_are_separate_transactions(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    relay = await log.transaction(f"{name}.relay")
    placed = await asyncio.gather(*(relay.append(numbered(name, range(n, n + 2))) for n in (0, 2, 4)))
    assert [len(each) for each in placed] == [2, 2, 2]
    assert await read_all(log, name) == {0: [0, 1, 2, 3, 4, 5]}


def _pause_before_commit(relay: KafkaTransaction, kafka: KafkaBroker) -> None:
    producer = relay._producer._producer
    commit = producer.commit_transaction

    async def paused() -> None:
        kafka.pause()
        await commit()

    producer.commit_transaction = paused
