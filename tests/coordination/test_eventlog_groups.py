"""The contract every log keeps for consumer groups: sharing, positions, taking over, pausing, listing."""

import asyncio
import time

import pytest

from coordination.errors import LogDenied, UnknownTopic
from coordination.eventlog import EventLog, TopicPartition
from tests.coordination.adapters import Adapter, fill, settle, take_polled, until
from tests.coordination.conftest import MakeTopic


async def test_a_group_without_commits_has_none_rather_than_zeros(log: EventLog, topic: MakeTopic, group: str) -> None:
    name = await topic(partitions=3)
    await fill(log, name, 3)
    assert await log.commits(group) == {}
    await log.set_commits(group, {TopicPartition(name, 1): 2})
    assert await log.commits(group) == {TopicPartition(name, 1): 2}


async def test_a_lone_member_gets_every_partition_from_the_beginning(
    log: EventLog, topic: MakeTopic, group: str
) -> None:
    name = await topic(partitions=3)
    await fill(log, name, 3)
    member = await log.join(group, [name], client_id="a")
    records = await take_polled(member, 9)
    assert member.assignment() == {TopicPartition(name, number) for number in range(3)}
    assert {(r.partition, r.value) for r in records} == {(p, b"%d-%d" % (p, n)) for p in range(3) for n in range(3)}
    assert member.group == group
    await member.close()


async def test_a_member_may_consume_several_topics(log: EventLog, topic: MakeTopic, group: str) -> None:
    first, second = await topic(partitions=2), await topic()
    await fill(log, first, 2, 1)
    await fill(log, second, 1, 1)
    member = await log.join(group, [first, second], client_id="a")
    records = await take_polled(member, 3)
    assert sorted((r.topic, r.partition) for r in records) == sorted([(first, 0), (first, 1), (second, 0)])
    await member.close()


async def test_joining_for_an_unknown_topic_is_refused(log: EventLog, group: str) -> None:
    with pytest.raises(UnknownTopic, match=r"contract\.missing"):
        await log.join(group, ["contract.missing"], client_id="a")


async def test_a_poll_of_nothing_ends_at_its_timeout(log: EventLog, topic: MakeTopic, group: str) -> None:
    name = await topic()
    member = await log.join(group, [name], client_id="a")
    await settle([member], lambda: len(member.assignment()) == 1)
    started = time.monotonic()
    assert list(await member.poll(10, 0.3)) == []
    assert 0.2 <= time.monotonic() - started < 3
    await member.close()


async def test_a_waiting_poll_returns_when_a_record_is_appended(log: EventLog, topic: MakeTopic, group: str) -> None:
    name = await topic()
    member = await log.join(group, [name], client_id="a")
    await settle([member], lambda: len(member.assignment()) == 1)
    waiting = asyncio.create_task(member.poll(10, 20.0))
    await asyncio.sleep(0.2)
    await fill(log, name, 1, 1)
    started = time.monotonic()
    assert len(await waiting) == 1
    assert time.monotonic() - started < 1.0
    await member.close()


async def test_two_members_share_the_partitions(log: EventLog, adapter: Adapter, topic: MakeTopic, group: str) -> None:
    name = await topic(partitions=4)
    other = await adapter.open()
    one = await log.join(group, [name], client_id="one")
    await settle([one], lambda: len(one.assignment()) == 4)
    two = await other.join(group, [name], client_id="two")
    await settle([one, two], lambda: len(one.assignment()) == len(two.assignment()) == 2)
    assert one.assignment() | two.assignment() == {TopicPartition(name, number) for number in range(4)}
    await fill(log, name, 4, 1)
    mine, others = await asyncio.gather(take_polled(one, 2), take_polled(two, 2))
    assert {r.partition for r in mine} == {p.partition for p in one.assignment()}
    assert {r.partition for r in others} == {p.partition for p in two.assignment()}
    await one.close()
    await two.close()
    await other.close()


async def test_the_same_numbers_of_several_topics_go_to_one_member(log: EventLog, topic: MakeTopic, group: str) -> None:
    first, second = await topic(partitions=4), await topic(partitions=4)
    one = await log.join(group, [first, second], client_id="one")
    two = await log.join(group, [first, second], client_id="two")
    await settle([one, two], lambda: len(one.assignment()) == len(two.assignment()) == 4)
    for member in (one, two):
        numbers = {t: {p.partition for p in member.assignment() if p.topic == t} for t in (first, second)}
        assert numbers[first] == numbers[second]
    await one.close()
    await two.close()


async def test_a_member_continues_at_the_committed_positions(log: EventLog, topic: MakeTopic, group: str) -> None:
    name = await topic()
    await fill(log, name, 1, 5)
    partition = TopicPartition(name, 0)
    former = await log.join(group, [name], client_id="former")
    polled = await take_polled(former, 5)
    assert await former.commit({partition: polled[2].offset + 1}) == []
    await former.close()
    assert await log.commits(group) == {partition: polled[2].offset + 1}
    later = await log.join(group, [name], client_id="later")
    assert [r.value for r in await take_polled(later, 2)] == [b"0-3", b"0-4"]
    await later.close()


async def test_a_position_before_the_kept_records_or_past_the_end_is_reset_to_the_beginning(
    log: EventLog, topic: MakeTopic, group: str
) -> None:
    name = await topic()
    await fill(log, name, 1, 2)
    await log.set_commits(group, {TopicPartition(name, 0): 1000})
    member = await log.join(group, [name], client_id="a")
    assert [r.value for r in await take_polled(member, 2)] == [b"0-0", b"0-1"]
    await member.close()


async def test_others_take_over_at_once_when_a_member_leaves(log: EventLog, topic: MakeTopic, group: str) -> None:
    name = await topic(partitions=2)
    leaving = await log.join(group, [name], client_id="leaving", session_timeout=40)
    staying = await log.join(group, [name], client_id="staying", session_timeout=40)
    await settle([leaving, staying], lambda: len(leaving.assignment()) == len(staying.assignment()) == 1)
    await leaving.close()
    await settle([staying], lambda: len(staying.assignment()) == 2, timeout=20)
    await staying.close()


async def test_paused_partitions_return_nothing_until_resumed(log: EventLog, topic: MakeTopic, group: str) -> None:
    name = await topic(partitions=2)
    member = await log.join(group, [name], client_id="a")
    await settle([member], lambda: len(member.assignment()) == 2)
    paused, open_ = TopicPartition(name, 0), TopicPartition(name, 1)
    member.pause([paused])
    await fill(log, name, 2, 2)
    assert {r.partition for r in await take_polled(member, 2)} == {open_.partition}
    assert list(await member.poll(10, 0.3)) == []
    member.resume([paused])
    assert [r.value for r in await take_polled(member, 2)] == [b"0-0", b"0-1"]
    await member.close()


async def test_positions_of_a_group_with_members_cannot_be_set_from_outside(
    log: EventLog, topic: MakeTopic, group: str
) -> None:
    name = await topic()
    member = await log.join(group, [name], client_id="a")
    await settle([member], lambda: len(member.assignment()) == 1)
    with pytest.raises(LogDenied) as refused:
        await log.set_commits(group, {TopicPartition(name, 0): 0})
    assert refused.value.code == "group_has_members"
    assert await log.commits(group) == {}
    await member.close()


async def test_groups_list_members_and_their_partitions(log: EventLog, topic: MakeTopic, group: str) -> None:
    name = await topic(partitions=4)
    one = await log.join(group, [name], client_id="one")
    two = await log.join(group, [name], client_id="two")
    await settle([one, two], lambda: len(one.assignment()) == len(two.assignment()) == 2)
    (info,) = [found for found in await log.groups() if found.group == group]
    assert info.state == "stable"
    assert info.members is not None
    assert {m.member_id: set(m.partitions) for m in info.members} == {
        one.member_id: set(one.assignment()),
        two.member_id: set(two.assignment()),
    }
    assert {m.client_id for m in info.members} == {"one", "two"}
    assert info.generation is not None
    await one.close()
    await two.close()


async def test_a_group_whose_members_left_is_empty_and_keeps_its_positions(
    log: EventLog, topic: MakeTopic, group: str
) -> None:
    name = await topic()
    await fill(log, name, 1, 1)
    member = await log.join(group, [name], client_id="a")
    await take_polled(member, 1)
    await member.commit({TopicPartition(name, 0): 1})
    await member.close()

    async def empty() -> bool:
        found = [info for info in await log.groups() if info.group == group]
        return [(info.state, info.members) for info in found] == [("empty", ())]

    await until(empty)
    assert await log.commits(group) == {TopicPartition(name, 0): 1}
