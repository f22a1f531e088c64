"""The contract every log keeps for topics: created, described, left alone, deleted, created anew."""

import pytest

from coordination.errors import LogDenied, UnknownTopic
from coordination.eventlog import EventLog, NewRecord, TopicPartition, TopicSpec
from tests.coordination.adapters import until
from tests.coordination.conftest import MakeTopic


async def test_a_created_topic_is_as_specified(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(partitions=5, config={"cleanup.policy": "compact"})
    info = (await log.topics())[name]
    assert (info.name, info.partitions, info.replication) == (name, 5, 1)
    assert info.config is not None
    assert info.config["cleanup.policy"] == "compact"


async def test_a_topic_that_exists_is_left_as_it_is(log: EventLog, topic: MakeTopic) -> None:
    name = await topic(partitions=2)
    await log.append([NewRecord(name, b"k", b"v")])
    before = (await log.topics())[name]
    await log.create_topics([TopicSpec(name, 7, config={"cleanup.policy": "compact"})])
    assert (await log.topics())[name] == before


@pytest.mark.parametrize(("name", "partitions"), [("with space", 1), ("", 1), ("contract.zero", 0)])
async def test_a_topic_that_cannot_be_is_refused(log: EventLog, name: str, partitions: int) -> None:
    with pytest.raises(LogDenied) as refused:
        await log.create_topics([TopicSpec(name, partitions)])
    assert refused.value.code == "invalid_topic"


async def test_a_deleted_topic_is_gone(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    await log.append([NewRecord(name, b"k", b"v")])
    await log.delete_topic(name)

    async def gone() -> bool:
        return name not in await log.topics()

    await until(gone)
    with pytest.raises(UnknownTopic):
        await log.append([NewRecord(name, b"k", b"v")])
    with pytest.raises(UnknownTopic):
        await log.delete_topic(name)


async def test_a_recreated_topic_is_empty_and_has_another_id(log: EventLog, topic: MakeTopic) -> None:
    name = await topic()
    await log.append([NewRecord(name, b"k", b"v")] * 3)
    before = (await log.topics())[name].topic_id
    await log.delete_topic(name)

    async def recreated() -> bool:
        await log.create_topics([TopicSpec(name, 1)])
        return (await log.topics())[name].topic_id != before

    await until(recreated)
    assert before
    assert (await log.ends([TopicPartition(name, 0)]))[TopicPartition(name, 0)] == (0, 0, 0)
