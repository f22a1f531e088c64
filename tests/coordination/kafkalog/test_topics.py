"""Rules of topics on a real broker, beyond the contract."""

import pytest

from coordination.errors import LogDenied, UnknownTopic
from coordination.eventlog import TopicSpec
from coordination.kafkalog import KafkaLog
from tests.coordination.kafkalog.conftest import MakeTopic, numbered
from tests.services.kafka import KafkaBroker


async def test_settings_are_merged_and_not_replaced(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic(config={"retention.ms": "1000000", "cleanup.policy": "compact"})
    await log.configure_topic(name, {"retention.ms": "2000000", "max.message.bytes": "70000"})
    config = (await log.topics())[name].config
    assert config is not None
    assert (config["retention.ms"], config["max.message.bytes"]) == ("2000000", "70000")
    assert config["cleanup.policy"] == "compact"


async def test_effective_settings_include_the_defaults(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    config = (await log.topics())[name].config
    assert config is not None
    assert (config["cleanup.policy"], config["retention.ms"]) == ("delete", "604800000")


async def test_a_topic_id_is_the_one_kafkas_tools_print(kafka: KafkaBroker, log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    told = kafka.tool("org.apache.kafka.tools.TopicCommand", "--describe", "--topic", name)
    assert f"TopicId: {(await log.topics())[name].topic_id}" in told.replace("\t", " ")


async def test_internal_topics_are_not_listed(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    await (await log.transaction(f"{name}.relay")).append(numbered(name, range(1)))
    assert not [name for name in await log.topics() if name.startswith("__")]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (TopicSpec("{}", 1, replication=3), "replication factor"),
        (TopicSpec("{}", 1, config={"retention.ms": "for ever"}), "retention.ms"),
        (TopicSpec("{}", 1, config={"retention.minutes": "1"}), "retention.minutes"),
    ],
)
async def test_what_the_broker_refuses_at_creation_is_told_in_its_words(
    log: KafkaLog, namespace: str, spec: TopicSpec, words: str
) -> None:
    refused = TopicSpec(f"{namespace}.bad", spec.partitions, spec.replication, spec.config)
    with pytest.raises(LogDenied, match=words) as error:
        await log.create_topics([TopicSpec(f"{namespace}.good", 1), refused])
    assert error.value.code == "invalid_topic"
    assert set(await log.topics()) >= {f"{namespace}.good"}


async def test_a_wrong_setting_is_refused_and_changes_nothing(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    before = (await log.topics())[name]
    with pytest.raises(LogDenied, match=r"retention\.ms"):
        await log.configure_topic(name, {"max.message.bytes": "70000", "retention.ms": "soon"})
    with pytest.raises(UnknownTopic):
        await log.configure_topic(f"{name}.none", {"retention.ms": "1"})
    assert (await log.topics())[name] == before


async def test_a_created_topic_can_be_written_to_at_once(log: KafkaLog, namespace: str) -> None:
    specs = [TopicSpec(f"{namespace}.{number}", 12) for number in range(14)]
    await log.create_topics(specs)
    placed = await log.append([record for spec in specs for record in numbered(spec.name, range(12), 12)])
    assert {at.offset for at in placed} == {0}
    await log.create_topics(specs)
