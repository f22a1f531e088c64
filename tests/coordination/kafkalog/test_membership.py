"""Rules of consumer group members on a real broker, beyond the contract: fencing, handing over, unknown outcomes."""

import asyncio
import time

import pytest

from coordination.errors import LogDenied, LogUnreachable, MemberFenced, RecordTooLarge
from coordination.eventlog import NewRecord, TopicPartition
from coordination.kafkalog import KafkaLog, open_kafkalog
from coordination.kafkalog.membership import KafkaMembership
from tests.coordination.adapters import settle, take_polled
from tests.coordination.kafkalog.conftest import MakeTopic, numbered, read_all, repeatedly
from tests.services.kafka import KafkaBroker


async def test_the_broker_refuses_a_commit_of_an_older_generation_with_all_its_records(
    log: KafkaLog, topic: MakeTopic
) -> None:
    commands, facts = await topic("commands"), await topic("facts")
    await log.append(numbered(commands, range(3)))
    member = await log.join(f"{commands}.group", [commands], client_id="a")
    await take_polled(member, 3)
    partition = TopicPartition(commands, 0)
    generation, member.ownership.generation = member.ownership.generation, member.ownership.generation - 1
    with pytest.raises(MemberFenced):
        await member.commit({partition: 1}, numbered(facts, range(1)))
    with pytest.raises(MemberFenced):
        await member.commit({}, numbered(facts, range(1, 2)))
    assert await log.commits(member.group) == {}
    member.ownership.generation = generation
    await member.commit({partition: 2}, numbered(facts, range(2, 3)))
    # What was refused does not appear with the next commit of the same transactional id either.
    assert await read_all(log, facts) == {0: [2]}
    assert await log.commits(member.group) == {partition: 2}


async def test_the_broker_refuses_a_commit_of_somebody_who_is_no_member(log: KafkaLog, topic: MakeTopic) -> None:
    commands, facts = await topic("commands"), await topic("facts")
    await log.append(numbered(commands, range(1)))
    member = await log.join(f"{commands}.group", [commands], client_id="a")
    await take_polled(member, 1)
    member.ownership.member_id = member.ownership._stream.consumer._coordinator.member_id = "nobody"
    with pytest.raises(MemberFenced):
        await member.commit({TopicPartition(commands, 0): 1}, numbered(facts, range(1)))
    assert await read_all(log, facts) == {0: []}


async def test_a_member_without_partitions_may_not_write(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    group = f"{name}.group"
    one, two = [await log.join(group, [name], client_id=client) for client in ("one", "two")]
    await settle([one, two], lambda: len(one.assignment()) + len(two.assignment()) == 1)
    idle = two if one.assignment() else one
    with pytest.raises(MemberFenced, match="No partition"):
        await idle.commit({}, numbered(name, range(1)))
    assert await read_all(log, name) == {0: []}


async def test_a_position_is_not_moved_back_by_late_work(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    await log.append(numbered(name, range(5)))
    member = await log.join(f"{name}.group", [name], client_id="a")
    await take_polled(member, 5)
    partition = TopicPartition(name, 0)
    await member.commit({partition: 5})
    with pytest.raises(MemberFenced, match="already 5"):
        await member.commit({partition: 3}, numbered(name, range(9, 10)))
    assert await log.commits(member.group) == {partition: 5}


async def test_what_was_polled_can_be_committed_before_a_partition_is_handed_over(
    log: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic(partitions=2)
    await log.append(numbered(name, range(8), 2))
    group = f"{name}.group"
    one = await log.join(group, [name], client_id="one")
    polled = await take_polled(one, 8)
    two = await log.join(group, [name], client_id="two")
    for _ in range(15):  # it asks for its share for 1.5 seconds, and the first member is still at work
        assert await two.poll(10, 0.1) == []
    assert len(one.assignment()) == 2
    await one.commit({TopicPartition(name, number): 4 for number in range(2)})
    assert len(polled) == 8
    seen = await settle([one, two], lambda: len(one.assignment()) == len(two.assignment()) == 1)
    assert seen == []
    assert await log.commits(group) == {TopicPartition(name, 0): 4, TopicPartition(name, 1): 4}


async def test_a_member_that_does_not_poll_holds_up_the_others_no_longer_than_half_its_session(
    log: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic(partitions=2)
    await log.append(numbered(name, range(2), 2))
    group = f"{name}.group"
    one = await log.join(group, [name], client_id="one", session_timeout=6)
    await take_polled(one, 2)
    two = await log.join(group, [name], client_id="two", session_timeout=6)
    started = time.monotonic()
    await settle([two], lambda: len(two.assignment()) == 1)
    assert time.monotonic() - started < 6
    (lost,) = two.assignment()
    with pytest.raises(MemberFenced):
        await one.commit({lost: 1})
    (kept,) = one.assignment()
    await one.commit({kept: 1})


async def test_a_partition_that_stays_goes_on_where_it_was(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic(partitions=2)
    await log.append(numbered(name, range(10), 2))
    group = f"{name}.group"
    one = await log.join(group, [name], client_id="one")
    await take_polled(one, 10)  # and commits nothing
    two = await log.join(group, [name], client_id="two")
    seen = await settle([one, two], lambda: len(one.assignment()) == len(two.assignment()) == 1)
    (kept,), (moved,) = one.assignment(), two.assignment()
    while len(seen) < 5:
        seen += await two.poll(10, 0.2)
    assert {record.partition for record in seen} == {moved.partition}
    assert await one.poll(10, 0.3) == []
    await log.append([NewRecord(name, b"k", b"new", partition=kept.partition)])
    assert [record.value for record in await take_polled(one, 1)] == [b"new"]


async def test_pausing_lasts_through_a_rebalance(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic(partitions=2)
    group = f"{name}.group"
    one = await log.join(group, [name], client_id="one")
    await settle([one], lambda: len(one.assignment()) == 2)
    one.pause(sorted(one.assignment()))
    two = await log.join(group, [name], client_id="two")
    await settle([one, two], lambda: len(one.assignment()) == len(two.assignment()) == 1)
    await log.append(numbered(name, range(2), 2))
    assert len(await take_polled(two, 1)) == 1
    assert await one.poll(10, 0.5) == []
    one.resume(sorted(one.assignment()))
    assert len(await take_polled(one, 1)) == 1


async def test_after_a_commit_of_unknown_outcome_the_member_is_out_and_the_next_one_knows(
    kafka: KafkaBroker, hasty: KafkaLog, log: KafkaLog, topic: MakeTopic
) -> None:
    commands, facts = await topic("commands"), await topic("facts")
    await log.append(numbered(commands, range(3)))
    member = await hasty.join(f"{commands}.group", [commands], client_id="a", session_timeout=6)
    await take_polled(member, 3)
    await _pause_before_commit(member, kafka)
    with pytest.raises(LogUnreachable, match="outcome is unknown"):
        await member.commit({TopicPartition(commands, 0): 3}, numbered(facts, range(3)))
    with pytest.raises(MemberFenced, match="Join anew"):
        await member.commit({TopicPartition(commands, 0): 3}, numbered(facts, range(3)))
    with pytest.raises(MemberFenced, match="Join anew"):
        await member.poll(10, 0.1)
    kafka.resume()
    await member.close()
    heir = await hasty.join(member.group, [commands], client_id="b", session_timeout=6)
    assert heir.transactional_id == member.transactional_id
    await settle([heir], lambda: len(heir.assignment()) == 1)
    committed = await log.commits(member.group)
    assert (committed, await read_all(log, facts)) in (
        ({}, {0: []}),
        ({TopicPartition(commands, 0): 3}, {0: [0, 1, 2]}),
    )
    polled = [record.offset for record in await heir.poll(10, 2)]
    assert polled == ([] if committed else [0, 1, 2])


async def test_a_member_takes_over_only_when_no_transaction_holds_the_position_any_more(
    kafka: KafkaBroker, log: KafkaLog, topic: MakeTopic
) -> None:
    commands, facts = await topic("commands"), await topic("facts")
    await log.append(numbered(commands, range(3)))
    other = open_kafkalog(f"kafka://{kafka.bootstrap}")
    member = await other.join(f"{commands}.group", [commands], client_id="a", session_timeout=6)
    await take_polled(member, 3)
    held, go_on = asyncio.Event(), asyncio.Event()
    _hold_before_commit(member, held, go_on)
    committing = asyncio.create_task(member.commit({TopicPartition(commands, 0): 3}, numbered(facts, range(3))))
    await held.wait()  # positions and records are with the broker, the commit is not
    heir = await log.join(member.group, [commands], client_id="b", session_timeout=6)
    leaving = asyncio.create_task(_leave_without_ending_the_transaction(member))
    await settle([heir], lambda: len(heir.assignment()) == 1)
    for _ in range(5):
        assert await heir.poll(10, 0.1) == []
    go_on.set()
    await committing
    await log.append(numbered(commands, range(3, 4)))
    assert [record.offset for record in await take_polled(heir, 1)] == [3]
    assert await read_all(log, facts) == {0: [0, 1, 2]}
    await leaving
    await other.close()


async def test_a_refused_record_leaves_the_member_in_place(log: KafkaLog, topic: MakeTopic) -> None:
    commands, facts = await topic("commands"), await topic("facts", config={"max.message.bytes": "1000"})
    await log.append(numbered(commands, range(2)))
    member = await log.join(f"{commands}.group", [commands], client_id="a")
    await take_polled(member, 2)
    partition = TopicPartition(commands, 0)
    with pytest.raises(RecordTooLarge):
        await member.commit({partition: 1}, [NewRecord(facts, b"k", b"x" * 2000)])
    assert await log.commits(member.group) == {}
    await member.commit({partition: 2}, numbered(facts, range(1)))
    assert await log.commits(member.group) == {partition: 2}


async def test_a_session_time_out_the_broker_does_not_allow_is_refused_with_words(
    log: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic()
    member = await log.join(f"{name}.group", [name], client_id="a", session_timeout=0.2)
    with pytest.raises(LogDenied, match=r"group\.min/max\.session\.timeout\.ms"):
        await repeatedly(lambda: member.poll(1, 0.2))


async def test_a_member_polls_on_after_the_broker_was_away(
    kafka: KafkaBroker, hasty: KafkaLog, log: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic()
    await log.append(numbered(name, range(3)))
    member = await hasty.join(f"{name}.group", [name], client_id="a", session_timeout=20)
    await take_polled(member, 3)
    await member.commit({TopicPartition(name, 0): 3})
    kafka.pause()
    with pytest.raises(LogUnreachable):
        await repeatedly(lambda: member.poll(10, 0.2))
    kafka.resume()
    await log.append(numbered(name, range(3, 5)))
    polled: list[int] = []
    async with asyncio.timeout(20):
        while len(polled) < 2:
            try:
                polled += [record.offset for record in await member.poll(10, 0.2)]
            except LogUnreachable:
                continue
    await member.commit({TopicPartition(name, 0): polled[-1] + 1})
    # The group's coordinator hears of a committed transaction a moment after its owner does.
    async with asyncio.timeout(10):
        while await log.commits(member.group) != {TopicPartition(name, 0): polled[-1] + 1}:
            await asyncio.sleep(0.05)


async def test_an_idle_member_notices_that_the_broker_is_away(
    kafka: KafkaBroker, hasty: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic()
    member = await hasty.join(f"{name}.group", [name], client_id="a", session_timeout=20)
    await settle([member], lambda: len(member.assignment()) == 1)
    member.pause(sorted(member.assignment()))
    kafka.pause()
    with pytest.raises(LogUnreachable):
        await repeatedly(lambda: member.poll(10, 0.2))


async def _pause_before_commit(member: KafkaMembership, kafka: KafkaBroker) -> None:
    producer = (await member.open_producer())._producer
    commit = producer.commit_transaction

    async def paused() -> None:
        kafka.pause()
        await commit()

    producer.commit_transaction = paused


def _hold_before_commit(member: KafkaMembership, held: asyncio.Event, go_on: asyncio.Event) -> None:
    assert member._producer is not None
    producer = member._producer._producer
    commit = producer.commit_transaction

    async def waiting() -> None:
        held.set()
        await go_on.wait()
        await commit()

    producer.commit_transaction = waiting


async def _leave_without_ending_the_transaction(member: KafkaMembership) -> None:
    member.ownership.release()
    await member.ownership._stream.consumer.stop()
