"""Rules of members of consumer groups that live elsewhere."""

import asyncio

import pytest

from coordination.errors import MemberFenced
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.memorylog import MemoryLog
from dashboard.api.remotemembers import RemoteMembers

TOPIC = "t"
ZERO, ONE = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)


@pytest.fixture
async def log() -> MemoryLog:
    log = MemoryLog()
    await log.create_topics([TopicSpec(TOPIC, 2)])
    await log.append([NewRecord(TOPIC, b"k", b"%d" % n, partition=n % 2) for n in range(6)])
    return log


async def added(members: RemoteMembers, log: MemoryLog, session_timeout: float = 60.0) -> str:
    member = await log.join("g", [TOPIC], client_id="a", session_timeout=60.0)
    members.add(log, member, session_timeout)
    return member.member_id


async def test_the_member_says_where_it_stands(log: MemoryLog) -> None:
    members = RemoteMembers()
    remote = members.find(await added(members, log))
    records, positions = await remote.poll({}, [], 100, 1.0)
    assert len(records) == 6
    assert positions == {ZERO: 3, ONE: 3}
    again, _ = await remote.poll({ZERO: 1, ONE: 3}, [], 100, 1.0)
    assert [(record.partition, record.offset) for record in again] == [(0, 1), (0, 2)]
    await members.leave(remote.member.member_id)


async def test_unknown_positions_are_the_committed_ones(log: MemoryLog) -> None:
    await log.set_commits("g", {ZERO: 2})
    members = RemoteMembers()
    remote = members.find(await added(members, log))
    records, _ = await remote.poll({}, [], 100, 1.0)
    assert sorted((record.partition, record.offset) for record in records) == [(0, 2), (1, 0), (1, 1), (1, 2)]
    await members.leave(remote.member.member_id)


async def test_paused_partitions_are_not_read(log: MemoryLog) -> None:
    members = RemoteMembers()
    remote = members.find(await added(members, log))
    records, positions = await remote.poll({}, [ZERO], 100, 1.0)
    assert {record.partition for record in records} == {1}
    assert ZERO not in positions
    await members.leave(remote.member.member_id)


async def test_a_truncated_position_goes_on_at_the_beginning(log: MemoryLog) -> None:
    members = RemoteMembers()
    remote = members.find(await added(members, log))
    log.truncate(ZERO, 2)
    records, positions = await remote.poll({ZERO: 1, ONE: 3}, [], 100, 1.0)
    assert not records
    assert positions == {ZERO: 2, ONE: 3}
    records, _ = await remote.poll(positions, [], 100, 1.0)
    assert [(record.partition, record.offset) for record in records] == [(0, 2)]
    await members.leave(remote.member.member_id)


async def test_a_waiting_poll_ends_when_partitions_move(log: MemoryLog) -> None:
    members = RemoteMembers()
    remote = members.find(await added(members, log))
    await remote.poll({ZERO: 3, ONE: 3}, [], 100, 0.0)
    waiting = asyncio.create_task(remote.poll({ZERO: 3, ONE: 3}, [], 100, 60.0))
    await asyncio.sleep(0.05)
    other = await log.join("g", [TOPIC], client_id="b")
    records, _ = await asyncio.wait_for(waiting, 5.0)
    assert not records
    assert len(remote.member.assignment()) == 1
    await other.close()
    await members.leave(remote.member.member_id)


async def test_silence_takes_a_member_out_of_its_group_and_signs_of_life_keep_it(log: MemoryLog) -> None:
    members = RemoteMembers()
    silent, alive = await added(members, log, 0.3), await added(members, log, 0.3)
    for _ in range(6):
        await asyncio.sleep(0.1)
        members.find(alive)
    with pytest.raises(MemberFenced, match="silent"):
        members.find(silent)
    with pytest.raises(MemberFenced):
        await members.commit(silent, {ZERO: 1}, [])
    ((group,),) = [[info for info in await log.groups() if info.group == "g"]]
    assert group.members is not None
    assert [member.member_id for member in group.members] == [alive]
    await members.leave(alive)


async def test_leaving_twice_is_no_error(log: MemoryLog) -> None:
    members = RemoteMembers()
    member_id = await added(members, log)
    await members.leave(member_id)
    await members.leave(member_id)
    await members.leave("nobody")
