"""Rules of TLS, of signing in and of missing rights, against real listeners and a real authorizer."""

from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from coordination.errors import CoordinationError, LogDenied, LogUnreachable
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.kafkalog import KafkaLog, open_kafkalog
from tests.coordination.kafkalog.conftest import numbered, read_all
from tests.services.kafka import KafkaBroker
from tests.services.kafka_settings import PASSWORD, USER

pytestmark = pytest.mark.kafka

AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": f"User:ANONYMOUS;User:{USER}",
}


@pytest.fixture(scope="module")
def guarded_kafka() -> Iterator[KafkaBroker]:
    """A broker on which a client certificate gives no right at all, everybody else may do everything."""
    with KafkaBroker(secured=True, settings=AUTHORIZER) as broker:
        yield broker


@pytest.fixture
async def owner(guarded_kafka: KafkaBroker) -> AsyncIterator[KafkaLog]:
    opened = open_kafkalog(f"kafka://{guarded_kafka.bootstrap}")
    yield opened
    await opened.close()


def secured(kafka: KafkaBroker, listener: str, **options: str) -> KafkaLog:
    given = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())
    return open_kafkalog(f"kafka://{kafka.address(listener)}?security={listener.lower()}&{given}")


def files(kafka: KafkaBroker, **names: str) -> dict[str, str]:
    return {option: str(getattr(kafka.certificates, name)) for option, name in names.items()}


def certified(kafka: KafkaBroker) -> KafkaLog:
    """The user of a client certificate."""
    return secured(kafka, "SSL", **files(kafka, cafile="authority", certfile="client"))


async def works(log: KafkaLog, topic: str) -> None:
    """Append, transact, consume and read: every kind of client object signs in."""
    try:
        await log.create_topics([TopicSpec(topic, 1)])
        await log.append(numbered(topic, range(1)))
        await (await log.transaction(f"{topic}.relay")).append(numbered(topic, range(1, 2)))
        member = await log.join(f"{topic}.group", [topic], client_id="a")
        assert len(await member.poll(1, 10)) == 1
        await member.commit({TopicPartition(topic, 0): 1}, numbered(topic, range(2, 3)))
        assert await read_all(log, topic) == {0: [0, 1, 2]}
    finally:
        await log.close()


async def refused(log: KafkaLog, words: str, kind: type[CoordinationError] = LogDenied) -> str:
    """Every way in says the same."""
    try:
        with pytest.raises(kind, match=words) as error:
            await log.topics()
        with pytest.raises(kind, match=words):
            await log.append([NewRecord("t", b"k", b"v")])
        with pytest.raises(kind, match=words):
            await log.transaction("t")
    finally:
        await log.close()
    return str(error.value)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_signing_in_works_with_every_mechanism(
    guarded_kafka: KafkaBroker, namespace: str, mechanism: str
) -> None:
    options = {"mechanism": mechanism, "username": USER, "password": PASSWORD}
    await works(secured(guarded_kafka, "SASL_PLAINTEXT", **options), namespace)


async def test_signing_in_over_tls_works(guarded_kafka: KafkaBroker, namespace: str) -> None:
    options = {"mechanism": "SCRAM-SHA-512", "username": USER, "password": PASSWORD}
    await works(secured(guarded_kafka, "SASL_SSL", **options, **files(guarded_kafka, cafile="authority")), namespace)


async def test_tls_works(guarded_kafka: KafkaBroker, namespace: str) -> None:
    await works(secured(guarded_kafka, "SSL", **files(guarded_kafka, cafile="authority")), namespace)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
async def test_a_wrong_password_is_called_that_and_not_repeated(guarded_kafka: KafkaBroker, mechanism: str) -> None:
    options = {"mechanism": mechanism, "username": USER, "password": "hush-hush"}
    message = await refused(secured(guarded_kafka, "SASL_PLAINTEXT", **options), "refused user 'alice'.*password")
    assert "hush-hush" not in message


async def test_a_certificate_of_an_unknown_authority_is_not_trusted(guarded_kafka: KafkaBroker) -> None:
    await refused(secured(guarded_kafka, "SSL"), "is not trusted.*cafile")
    await refused(secured(guarded_kafka, "SSL", **files(guarded_kafka, cafile="stranger")), "is not trusted.*cafile")


async def test_the_wrong_kind_of_listener_is_an_error_that_says_so(guarded_kafka: KafkaBroker) -> None:
    plain = open_kafkalog(f"kafka://{guarded_kafka.address('SASL_PLAINTEXT')}?timeout=3")
    with pytest.raises(LogUnreachable, match=r"security=plaintext|another kind of listener"):
        await plain.topics()
    await plain.close()
    encrypted = open_kafkalog(f"kafka://{guarded_kafka.bootstrap}?timeout=3&security=ssl")
    with pytest.raises(LogUnreachable, match=r"TLS|another kind of listener"):
        await encrypted.topics()
    await encrypted.close()


async def test_a_missing_right_is_named_in_every_call(
    guarded_kafka: KafkaBroker, owner: KafkaLog, namespace: str
) -> None:
    await owner.create_topics([TopicSpec(namespace, 1)])
    await owner.append(numbered(namespace, range(1)))
    await owner.set_commits(f"{namespace}.group", {TopicPartition(namespace, 0): 1})
    partition = TopicPartition(namespace, 0)
    user = certified(guarded_kafka)
    assert await user.topics() == {}
    assert await user.groups() == []
    for call in (
        user.append(numbered(namespace, range(1))),
        user.reader({partition: 0}),
        user.join(f"{namespace}.group", [namespace], client_id="a"),
        user.transaction(f"{namespace}.relay"),
        user.commits(f"{namespace}.group"),
        user.set_commits(f"{namespace}.group", {partition: 0}),
        user.create_topics([TopicSpec(f"{namespace}.mine", 1)]),
        user.configure_topic(namespace, {"retention.ms": "1"}),
        user.delete_topic(namespace),
    ):
        with pytest.raises(LogDenied, match="no right"):
            await call
    await user.close()
    assert await owner.commits(f"{namespace}.group") == {partition: 1}


async def test_what_may_be_described_but_not_read_is_denied_at_reading(
    guarded_kafka: KafkaBroker, owner: KafkaLog, namespace: str
) -> None:
    await owner.create_topics([TopicSpec(namespace, 1)])
    await owner.append(numbered(namespace, range(1)))
    _allow(guarded_kafka, namespace, AclOperation.DESCRIBE)
    user = certified(guarded_kafka)
    (info,) = (await user.topics()).values()
    assert (info.name, info.partitions, info.config) == (namespace, 1, None)
    reader = await user.reader({TopicPartition(namespace, 0): 0})
    for _ in range(2):
        with pytest.raises(LogDenied, match=namespace):
            await reader.read(1, 5)
    with pytest.raises(LogDenied, match="no right"):
        await user.append(numbered(namespace, range(1)))
    await user.close()


def _allow(kafka: KafkaBroker, topic: str, operation: AclOperation) -> None:
    user = ("User:CN=client", "*", operation, AclPermissionType.ALLOW)
    rule = AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, *user)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for done in admin.create_acls([rule]).values():
        done.result(10)
