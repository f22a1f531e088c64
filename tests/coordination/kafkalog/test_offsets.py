"""Rules of offsets and positions, beyond the contract."""

import asyncio

import pytest

from coordination.errors import LogDenied, UnknownTopic
from coordination.eventlog import TopicPartition
from coordination.kafkalog import KafkaLog
from coordination.kafkalog import offsets as module
from coordination.kafkalog.connection import Transient
from tests.coordination.kafkalog.conftest import MakeTopic, numbered


async def test_an_open_transaction_holds_the_stable_end_back(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    partition = TopicPartition(name, 0)
    relay = await log.transaction(f"{name}.relay")
    producer, held, go_on = relay._producer._producer, asyncio.Event(), asyncio.Event()
    commit = producer.commit_transaction

    async def waiting() -> None:
        held.set()
        await go_on.wait()
        await commit()

    producer.commit_transaction = waiting
    appending = asyncio.create_task(relay.append(numbered(name, range(3))))
    await held.wait()
    assert (await log.ends([partition]))[partition] == (0, 0, 3)
    go_on.set()
    await appending
    async with asyncio.timeout(5):
        while (await log.ends([partition]))[partition] != (0, 4, 4):
            await asyncio.sleep(0.01)


async def test_ends_of_many_partitions_come_in_one_go(log: KafkaLog, topic: MakeTopic) -> None:
    names = [await topic(f"n{number}", partitions=12) for number in range(4)]
    partitions = [TopicPartition(name, number) for name in names for number in range(12)]
    assert await log.ends(partitions) == dict.fromkeys(partitions, (0, 0, 0))


async def test_a_time_before_1970_is_the_beginning(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    await log.append(numbered(name, range(2)))
    assert await log.offsets_for_time([TopicPartition(name, 0)], -5) == {TopicPartition(name, 0): 0}
    assert await log.offsets_for_time([TopicPartition(name, 7)], 0) == {}


async def test_positions_on_an_unknown_topic_are_refused(log: KafkaLog, namespace: str) -> None:
    with pytest.raises(UnknownTopic, match=f"{namespace}.none"):
        await log.set_commits(f"{namespace}.group", {TopicPartition(f"{namespace}.none", 0): 0})


@pytest.mark.parametrize("code", [22, 25, 113])
def test_a_group_with_members_is_told_by_its_own_code(code: int) -> None:
    with pytest.raises(LogDenied) as error:
        module._check_committed("g", TopicPartition("t", 0), code)
    assert error.value.code == "group_has_members"


@pytest.mark.parametrize("code", [14, 15, 16])
def test_a_coordinator_on_the_move_is_asked_again(code: int) -> None:
    with pytest.raises(Transient):
        module._check_committed("g", TopicPartition("t", 0), code)


@pytest.mark.parametrize(
    "row", [(0, 5, "", 0), (0, 5, -1, "", 0, {})], ids=["before leader epochs", "with leader epochs"]
)
def test_positions_are_read_out_of_old_and_new_answers(row: tuple[object, ...]) -> None:
    unset = (1, -1, *row[2:])
    answer = type("Answer", (), {"error_code": 0, "topics": [("t", [row, unset])]})
    assert module._fetched(answer, "g") == ({TopicPartition("t", 0): 5}, frozenset())


def test_a_position_held_by_a_transaction_is_told_apart() -> None:
    answer = type("Answer", (), {"error": 0, "topics": [("t", [(0, -1, -1, "", 88, {})], {})]})
    assert module._fetched(answer, "g") == ({}, {TopicPartition("t", 0)})
