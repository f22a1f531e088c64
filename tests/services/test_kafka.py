"""Kafka for tests: takes records, comes back after a kill, is secured when asked."""

import ssl
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from tests.services.kafka import KafkaBroker
from tests.services.kafka_lag import PartitionLag, read_lags
from tests.services.kafka_settings import PASSWORD, USER


async def create_topic(kafka: KafkaBroker, topic: str, replicas: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    try:
        await admin.start()
        response = await admin.create_topics([NewTopic(topic, 2, replicas)])
        assert [error for _, error, *_ in response.topic_errors] == [0]
    finally:
        await admin.close()


async def append(bootstrap: str, topic: str, *values: bytes, **options: Any) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, **options)
    try:  # `async with` would not stop a producer whose start failed, and it warns of that
        await producer.start()
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


async def read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with consumer:
        consumer.assign([TopicPartition(topic, 0)])
        return [(await consumer.getone()).value for _ in range(count)]


async def test_records_are_there_after_kill_and_restart(kafka: KafkaBroker, namespace: str) -> None:
    await create_topic(kafka, namespace)
    await append(kafka.bootstrap, namespace, b"before")
    kafka.kill()
    with pytest.raises(KafkaConnectionError):
        await append(kafka.bootstrap, namespace, b"lost", request_timeout_ms=1000)
    kafka.restart()
    await append(kafka.bootstrap, namespace, b"after")
    assert await read(kafka.bootstrap, namespace, 2) == [b"before", b"after"]


async def test_a_paused_broker_takes_records_after_it_resumes(kafka: KafkaBroker, namespace: str) -> None:
    await create_topic(kafka, namespace)
    kafka.pause()
    with pytest.raises(KafkaConnectionError):
        await append(kafka.bootstrap, namespace, b"lost", request_timeout_ms=500)
    kafka.resume()
    await append(kafka.bootstrap, namespace, b"kept")
    assert await read(kafka.bootstrap, namespace, 1) == [b"kept"]


async def test_kafka_tells_the_lag_of_a_group(kafka: KafkaBroker, namespace: str) -> None:
    await create_topic(kafka, namespace)
    await append(kafka.bootstrap, namespace, b"one", b"two", b"three")
    partition = TopicPartition(namespace, 0)
    options = {"group_id": namespace, "enable_auto_commit": False}
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, **options) as consumer:
        consumer.assign([partition])
        await consumer.commit({partition: OffsetAndMetadata(1, "")})
    assert kafka.group_lags(namespace) == [PartitionLag(namespace, namespace, 0, 1, 3, 2)]


def test_a_partition_without_a_commit_has_no_lag_in_kafkas_words() -> None:
    printed = "\nGROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID\ng t 1 - 7 - -\n"
    assert read_lags(printed) == [PartitionLag("g", "t", 1, None, 7, None)]


def test_a_failing_tool_is_quoted(kafka: KafkaBroker) -> None:
    with pytest.raises(RuntimeError, match="no-such-option"):
        kafka.tool("org.apache.kafka.tools.TopicCommand", "--no-such-option")


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
async def test_a_user_signs_in(secured_kafka: KafkaBroker, namespace: str, protocol: str, mechanism: str) -> None:
    await create_topic(secured_kafka, namespace)
    options = sasl(secured_kafka, protocol, mechanism, PASSWORD)
    await append(secured_kafka.address(protocol), namespace, b"signed", **options)
    assert await read(secured_kafka.bootstrap, namespace, 1) == [b"signed"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
async def test_a_wrong_password_is_refused(secured_kafka: KafkaBroker, namespace: str, mechanism: str) -> None:
    options = sasl(secured_kafka, "SASL_PLAINTEXT", mechanism, "wrong")
    with pytest.raises(KafkaError):
        await append(secured_kafka.address("SASL_PLAINTEXT"), namespace, b"x", **options)


async def test_a_client_with_our_certificate_is_let_in(secured_kafka: KafkaBroker, namespace: str) -> None:
    await create_topic(secured_kafka, namespace)
    certificates = secured_kafka.certificates
    assert certificates is not None
    context = ssl.create_default_context(cafile=certificates.authority)
    context.load_cert_chain(certificates.client)
    options = {"security_protocol": "SSL", "ssl_context": context}
    await append(secured_kafka.address("SSL"), namespace, b"mutual", **options)
    assert await read(secured_kafka.bootstrap, namespace, 1) == [b"mutual"]


async def test_a_client_that_trusts_another_authority_refuses_the_broker(secured_kafka: KafkaBroker) -> None:
    certificates = secured_kafka.certificates
    assert certificates is not None
    context = ssl.create_default_context(cafile=certificates.stranger)
    options = {"security_protocol": "SSL", "ssl_context": context}
    with pytest.raises(KafkaConnectionError):
        await append(secured_kafka.address("SSL"), "any", b"x", **options)


@pytest.mark.kafka
async def test_a_cluster_of_three_loses_one_and_goes_on(namespace: str) -> None:
    with KafkaBroker(nodes=3) as cluster:
        await create_topic(cluster, namespace, replicas=3)
        await append(cluster.bootstrap, namespace, b"three of three")
        cluster.kill(node=2)
        await append(cluster.bootstrap, namespace, b"two of three")
        cluster.start(node=2)
        assert await read(cluster.bootstrap, namespace, 2) == [b"three of three", b"two of three"]


def sasl(kafka: KafkaBroker, protocol: str, mechanism: str, password: str) -> dict[str, Any]:
    certificates = kafka.certificates
    assert certificates is not None
    context = ssl.create_default_context(cafile=certificates.authority)
    return {
        "security_protocol": protocol,
        "sasl_mechanism": mechanism,
        "sasl_plain_username": USER,
        "sasl_plain_password": password,
        "ssl_context": context if protocol == "SASL_SSL" else None,
    }
