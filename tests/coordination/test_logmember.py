"""Rules of members of consumer groups on our own logs, beyond the contract."""

import asyncio

import pytest

from coordination import logmember
from coordination.errors import LogUnreachable, MemberFenced
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.memorylog import MemoryLog

TOPIC = "t"
ZERO = TopicPartition(TOPIC, 0)


@pytest.fixture
async def log() -> MemoryLog:
    log = MemoryLog()
    await log.create_topics([TopicSpec(TOPIC, 2)])
    await log.append([NewRecord(TOPIC, b"k", b"%d" % n, partition=n % 2) for n in range(4)])
    return log


async def test_a_member_that_works_long_without_polling_stays_a_member(log: MemoryLog) -> None:
    member = await log.join("g", [TOPIC], client_id="a", session_timeout=0.3)
    await member.poll(10, 1)
    await asyncio.sleep(0.7)
    await member.commit({ZERO: 1})
    await member.close()


async def test_a_member_that_never_polls_is_given_up(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logmember, "MAX_POLL_INTERVAL", 0.2)
    member = await log.join("g", [TOPIC], client_id="a", session_timeout=0.3)
    await member.poll(10, 1)
    await asyncio.sleep(0.9)
    with pytest.raises(MemberFenced):
        await member.commit({ZERO: 1})
    with pytest.raises(MemberFenced):
        await member.poll(10, 0)
    await member.close()


async def test_a_partition_moves_only_when_its_owner_polls(log: MemoryLog) -> None:
    one = await log.join("g", [TOPIC], client_id="one")
    await one.poll(10, 1)
    two = await log.join("g", [TOPIC], client_id="two")
    await two.poll(10, 0.1)
    assert len(one.assignment()) == 2
    assert not two.assignment()
    await one.commit({ZERO: 2, TopicPartition(TOPIC, 1): 2})
    await one.poll(10, 0)
    await two.poll(10, 0)
    assert len(one.assignment()) == len(two.assignment()) == 1
    assert list(await two.poll(10, 0)) == []
    await one.close()
    await two.close()


async def test_a_pause_ends_when_the_partition_moves_away(log: MemoryLog) -> None:
    one = await log.join("g", [TOPIC], client_id="one")
    await one.poll(10, 1)
    one.pause(sorted(one.assignment()))
    two = await log.join("g", [TOPIC], client_id="two")
    await one.poll(10, 0)
    await two.poll(10, 0)
    await two.close()
    (moved,) = {TopicPartition(TOPIC, number) for number in range(2)} - one.assignment()
    await one.poll(0, 0)
    assert {record.partition for record in await one.poll(10, 1)} == {moved.partition}
    await one.close()


async def test_a_closed_member_can_do_nothing_more_and_may_be_closed_again(log: MemoryLog) -> None:
    member = await log.join("g", [TOPIC], client_id="a")
    await member.poll(10, 1)
    await member.close()
    await member.close()
    assert not member.assignment()
    with pytest.raises(MemberFenced):
        await member.poll(10, 0)
    with pytest.raises(MemberFenced):
        await member.commit({ZERO: 1})


async def test_heartbeats_go_on_after_the_log_was_away(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    member = await log.join("g", [TOPIC], client_id="a", session_timeout=0.6)
    await member.poll(10, 1)
    visit, failures = log.visit, [LogUnreachable("away")]

    async def away_once(group: str, member_id: str, polls: bool) -> frozenset[TopicPartition]:
        if failures:
            raise failures.pop()
        return await visit(group, member_id, polls)

    monkeypatch.setattr(log, "visit", away_once)
    await asyncio.sleep(1.0)
    await member.commit({ZERO: 1})
    await member.close()
    assert not failures


async def test_polls_do_not_bother_the_group_while_nothing_changes(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await log.join("g", [TOPIC], client_id="a", session_timeout=60)
    await member.poll(10, 1)
    await member.poll(10, 0)
    monkeypatch.setattr(log, "visit", None)
    await log.append([NewRecord(TOPIC, b"k", b"v")])
    assert len(await member.poll(10, 1)) == 1
    assert list(await member.poll(10, 0.1)) == []
    monkeypatch.undo()
    await member.close()


async def test_a_topic_deleted_under_a_member_is_given_up(log: MemoryLog) -> None:
    await log.create_topics([TopicSpec("other", 1)])
    member = await log.join("g", [TOPIC, "other"], client_id="a")
    await member.poll(10, 1)
    await log.delete_topic(TOPIC)
    assert list(await member.poll(10, 0.1)) == []
    assert member.assignment() == {TopicPartition("other", 0)}
    await member.close()
