"""Rules of the memory log beyond the contract: injected time, truncation, open transactions, threads."""

import asyncio
import threading

import pytest

from coordination.errors import LogDenied, OffsetOutOfRange, UnknownTopic
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.memorylog import MemoryLog
from tests.coordination.adapters import take

TOPIC = "coord.run.task.events"
ONLY = TopicPartition(TOPIC, 0)


class Clock:
    """A clock that stands where it was set, in ms."""

    now = 1_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def log(clock: Clock) -> MemoryLog:
    log = MemoryLog(clock)
    await log.create_topics([TopicSpec(TOPIC, 1)])
    return log


def values(*texts: bytes) -> list[NewRecord]:
    return [NewRecord(TOPIC, b"k", text) for text in texts]


async def test_append_time_is_what_the_clock_says(log: MemoryLog, clock: Clock) -> None:
    (first,) = await log.append(values(b"1"))
    clock.now = 5_000
    (second,) = await log.append(values(b"2"))
    assert (first.timestamp, second.timestamp) == (1_000, 5_000)
    assert await log.offsets_for_time([ONLY], 1_001) == {ONLY: 1}


async def test_moving_the_clock_expels_no_member(log: MemoryLog, clock: Clock) -> None:
    member = await log.join("agent.a", [TOPIC], client_id="a", session_timeout=1.0)
    await member.poll(1, 0)
    clock.now += 86_400_000
    await member.commit({ONLY: 0})
    await member.close()


async def test_a_reader_behind_the_truncation_is_told_and_one_past_it_goes_on(log: MemoryLog) -> None:
    await log.append(values(b"0", b"1", b"2", b"3"))
    behind, past = await log.reader({ONLY: 0}), await log.reader({ONLY: 3})
    log.truncate(ONLY, 2)
    assert (await log.ends([ONLY]))[ONLY] == (2, 4, 4)
    with pytest.raises(OffsetOutOfRange, match="2 to 4"):
        await behind.read(10, 0)
    assert [record.value for record in await past.read(10, 0)] == [b"3"]


async def test_a_group_behind_the_truncation_goes_on_at_the_beginning(log: MemoryLog) -> None:
    await log.append(values(b"0", b"1", b"2", b"3"))
    await log.set_commits("agent.a", {ONLY: 1})
    log.truncate(ONLY, 2)
    member = await log.join("agent.a", [TOPIC], client_id="a")
    assert [record.offset for record in await member.poll(10, 1.0)] == [2, 3]
    await member.close()


async def test_nothing_can_be_truncated_that_is_not_there(log: MemoryLog) -> None:
    with pytest.raises(OffsetOutOfRange):
        log.truncate(ONLY, 1)
    with pytest.raises(UnknownTopic):
        log.truncate(TopicPartition("none", 0), 0)


async def test_an_open_transaction_holds_back_what_comes_after_it(log: MemoryLog) -> None:
    await log.append(values(b"before"))
    held = log.open_transaction(values(b"held"))
    await log.append(values(b"after"))
    reader = await log.reader({ONLY: 0})
    assert [record.value for record in await take(reader, 1)] == [b"before"]
    assert list(await reader.read(10, 0)) == []
    assert (await log.ends([ONLY]))[ONLY] == (0, 1, 3)
    held.commit()
    assert [record.value for record in await take(reader, 2)] == [b"held", b"after"]
    assert (await log.ends([ONLY]))[ONLY] == (0, 4, 4)


async def test_an_aborted_transaction_leaves_a_gap_that_readers_pass(log: MemoryLog) -> None:
    held = log.open_transaction(values(b"never", b"seen"))
    held.abort()
    reader = await log.reader({ONLY: 0})
    assert list(await reader.read(10, 0)) == []
    assert reader.positions() == {ONLY: 3}
    (placed,) = await log.append(values(b"after"))
    assert placed.offset == 3
    assert [record.offset for record in await take(reader, 1)] == [3]


async def test_the_first_of_several_open_transactions_decides_what_is_stable(log: MemoryLog) -> None:
    first, second = log.open_transaction(values(b"1")), log.open_transaction(values(b"2"))
    second.commit()
    assert (await log.ends([ONLY]))[ONLY].stable == 0
    first.commit()
    assert (await log.ends([ONLY]))[ONLY].stable == 4


async def test_a_reader_of_a_recreated_topic_stops(log: MemoryLog) -> None:
    await log.append(values(b"old"))
    reader = await log.reader({ONLY: 0})
    await take(reader, 1)
    await log.delete_topic(TOPIC)
    await log.create_topics([TopicSpec(TOPIC, 1)])
    for _ in range(2):
        with pytest.raises(UnknownTopic, match="created anew"):
            await reader.read(10, 0)


async def test_positions_go_with_the_topic(log: MemoryLog) -> None:
    await log.create_topics([TopicSpec("other", 1)])
    await log.set_commits("observer", {ONLY: 0, TopicPartition("other", 0): 0})
    await log.delete_topic(TOPIC)
    assert await log.commits("observer") == {TopicPartition("other", 0): 0}


async def test_a_compacted_topic_says_that_it_needs_keys(log: MemoryLog) -> None:
    await log.create_topics([TopicSpec("state", 1, config={"cleanup.policy": "compact,delete"})])
    with pytest.raises(LogDenied) as refused:
        await log.append([NewRecord("state", None, b"v")])
    assert refused.value.code == "key_required"


async def test_threads_share_it_and_wake_one_another(log: MemoryLog) -> None:
    reader = await log.reader({ONLY: 0})
    waiting = asyncio.create_task(take(reader, 400))
    await asyncio.sleep(0.05)
    threads = [
        threading.Thread(target=lambda: [asyncio.run(log.append(values(b"v"))) for _ in range(100)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    records = await waiting
    for thread in threads:
        thread.join()
    assert [record.offset for record in records] == list(range(400))


async def test_closing_one_use_of_it_does_not_end_the_others(log: MemoryLog) -> None:
    await log.close()
    assert len(await log.append(values(b"v"))) == 1
