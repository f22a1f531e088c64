"""The contract every log keeps for what is atomic: commits with records, transactions, and fencing of zombies."""

import asyncio

import pytest

from coordination.errors import CoordinationError, MemberFenced, RecordTooLarge, UnknownTopic
from coordination.eventlog import MAX_RECORD_BYTES, EventLog, NewRecord, TopicPartition
from tests.coordination.adapters import Adapter, SilentMember, fill, settle, take, take_polled, until
from tests.coordination.conftest import MakeTopic


async def high(log: EventLog, partition: TopicPartition) -> int:
    return (await log.ends([partition]))[partition].high


async def test_a_silent_member_is_replaced_and_can_neither_commit_nor_append(
    log: EventLog, adapter: Adapter, topic: MakeTopic, group: str
) -> None:
    name, facts = await topic(partitions=2), await topic()
    await fill(log, name, 2, 1)
    silent = SilentMember(adapter, group, name, adapter.session_timeout)
    await silent.start(2)
    heir = await log.join(group, [name], client_id="heir", session_timeout=adapter.session_timeout)
    polled = await take_polled(heir, 2)
    assert {(r.partition, r.offset) for r in polled} == {(r.partition, r.offset) for r in silent.polled}
    await heir.commit({TopicPartition(name, r.partition): r.offset + 1 for r in polled})
    committed = await log.commits(group)
    zombie = asyncio.create_task(silent.wake({TopicPartition(name, 0): 0}, [NewRecord(facts, b"k", b"from a zombie")]))
    while not zombie.done():
        await heir.poll(10, 0.1)
    assert isinstance(silent.refusal, MemberFenced)
    assert await log.commits(group) == committed
    reader = await log.reader({TopicPartition(facts, 0): 0})
    assert list(await reader.read(10, 0.5)) == []
    await reader.close()
    await heir.close()


async def test_a_commit_and_its_records_are_visible_together(log: EventLog, topic: MakeTopic, group: str) -> None:
    commands, facts = await topic(), await topic()
    await fill(log, commands, 1, 1)
    member = await log.join(group, [commands], client_id="a")
    (command,) = await take_polled(member, 1)
    placed = await member.commit(
        {TopicPartition(commands, 0): command.offset + 1},
        [NewRecord(facts, b"k", b"started"), NewRecord(facts, b"k", b"completed")],
    )
    assert [at.topic for at in placed] == [facts, facts]
    assert await log.commits(group) == {TopicPartition(commands, 0): command.offset + 1}
    records = await take(await log.reader({TopicPartition(facts, 0): 0}), 2)
    assert [(r.value, r.offset) for r in records] == [(b"started", placed[0].offset), (b"completed", placed[1].offset)]
    await member.close()


@pytest.mark.parametrize("wrong", ["too large", "unknown topic"])
async def test_when_a_record_is_refused_nothing_is_committed_or_appended(
    log: EventLog, topic: MakeTopic, group: str, wrong: str
) -> None:
    commands, facts = await topic(), await topic()
    await fill(log, commands, 1, 1)
    member = await log.join(group, [commands], client_id="a")
    await take_polled(member, 1)
    bad = {
        "too large": (RecordTooLarge, NewRecord(facts, b"k", b"x" * (MAX_RECORD_BYTES + 1))),
        "unknown topic": (UnknownTopic, NewRecord("contract.missing", b"k", b"v")),
    }
    error, record = bad[wrong]
    with pytest.raises(error):
        await member.commit({TopicPartition(commands, 0): 1}, [NewRecord(facts, b"k", b"good"), record])
    assert await log.commits(group) == {}
    reader = await log.reader({TopicPartition(facts, 0): 0})
    assert list(await reader.read(10, 0.5)) == []
    assert len(await member.commit({TopicPartition(commands, 0): 1}, [NewRecord(facts, b"k", b"good")])) == 1
    await reader.close()
    await member.close()


async def test_a_partition_handed_to_another_member_cannot_be_committed_any_more(
    log: EventLog, topic: MakeTopic, group: str
) -> None:
    name, facts = await topic(partitions=2), await topic()
    await fill(log, name, 2, 1)
    one = await log.join(group, [name], client_id="one")
    await take_polled(one, 2)
    two = await log.join(group, [name], client_id="two")
    await settle([one, two], lambda: len(one.assignment()) == len(two.assignment()) == 1)
    (lost,) = two.assignment()
    with pytest.raises(MemberFenced):
        await one.commit({lost: 1}, [NewRecord(facts, b"k", b"from a zombie")])
    assert lost not in await log.commits(group)
    reader = await log.reader({TopicPartition(facts, 0): 0})
    assert list(await reader.read(10, 0.5)) == []
    await reader.close()
    await one.close()
    await two.close()


async def test_a_transaction_appends_all_or_nothing(log: EventLog, topic: MakeTopic) -> None:
    first, second = await topic(), await topic()
    relay = await log.transaction(f"relay.{first}")
    placed = await relay.append([NewRecord(first, b"k", b"fact"), NewRecord(second, b"k", b"command")])
    assert [at.topic for at in placed] == [first, second]
    with pytest.raises(CoordinationError):
        await relay.append([NewRecord(first, b"k", b"lost"), NewRecord("contract.missing", b"k", b"lost")])
    reader = await log.reader({TopicPartition(first, 0): 0, TopicPartition(second, 0): 0})
    assert {r.value for r in await take(reader, 2)} == {b"fact", b"command"}
    assert list(await reader.read(10, 0.5)) == []
    await reader.close()
    await relay.close()


async def test_a_newer_owner_of_a_transactional_id_fences_the_former(
    log: EventLog, adapter: Adapter, topic: MakeTopic
) -> None:
    name = await topic()
    other = await adapter.open()
    former = await log.transaction(f"relay.{name}")
    await former.append([NewRecord(name, b"k", b"former")])
    owner = await other.transaction(f"relay.{name}")
    with pytest.raises(MemberFenced):
        await former.append([NewRecord(name, b"k", b"from a zombie")])
    await owner.append([NewRecord(name, b"k", b"owner")])
    reader = await log.reader({TopicPartition(name, 0): 0})
    assert [r.value for r in await take(reader, 2)] == [b"former", b"owner"]
    assert list(await reader.read(10, 0.5)) == []
    await reader.close()
    await former.close()
    await owner.close()
    await other.close()


async def test_the_end_is_stable_after_transactions(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    partition = TopicPartition(name, 0)
    relay = await log.transaction(f"relay.{name}")
    await relay.append([NewRecord(name, b"k", b"1")])
    await relay.close()

    async def stable() -> bool:
        ends = (await log.ends([partition]))[partition]
        return ends.stable == ends.high >= 1

    await until(stable)
    reader = await log.reader({partition: 0})
    await take(reader, 1)

    async def at_the_end() -> bool:
        await reader.read(10, 0.1)
        return reader.positions()[partition] == await high(log, partition)

    await until(at_the_end)
    await reader.close()
