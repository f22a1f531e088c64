"""Rules of rights: the broker tells what its user may do; nothing is tried out."""

from collections.abc import Iterator
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

from coordination.eventlog import TopicSpec
from coordination.kafkalog import KafkaLog, open_kafkalog
from tests.coordination.kafkalog.conftest import MakeTopic
from tests.services.kafka import KafkaBroker

pytestmark = pytest.mark.kafka
EVERYBODY = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"


@pytest.fixture(scope="module")
def guarded() -> Iterator[KafkaBroker]:
    """A broker on which a client certificate gives no right at all, and whoever signs in by no means every right."""
    settings = {"authorizer.class.name": EVERYBODY, "super.users": "User:ANONYMOUS"}
    with KafkaBroker(secured=True, settings=settings) as broker:
        yield broker


def certified(kafka: KafkaBroker) -> KafkaLog:
    files = {"cafile": kafka.certificates.authority, "certfile": kafka.certificates.client}
    given = "&".join(f"{name}={quote(str(path), safe='')}" for name, path in files.items())
    return open_kafkalog(f"kafka://{kafka.address('SSL')}?security=ssl&{given}")


async def test_without_an_authorizer_everything_is_allowed(log: KafkaLog, topic: MakeTopic) -> None:
    name = await topic()
    assert (await log.rights([name]))[name] >= {"read", "write", "describe"}


async def test_a_right_is_told_topic_by_topic(guarded: KafkaBroker, namespace: str) -> None:
    owner, ours = open_kafkalog(f"kafka://{guarded.bootstrap}"), certified(guarded)
    names = [f"{namespace}.{name}" for name in ("read", "written", "hidden")]
    try:
        await owner.create_topics([TopicSpec(name, 1) for name in names])
        allow(guarded, names[0], AclOperation.READ)
        allow(guarded, names[1], AclOperation.WRITE)
        told = await ours.rights(names)
    finally:
        await ours.close()
        await owner.close()
    assert told == {
        names[0]: frozenset({"read", "describe"}),
        names[1]: frozenset({"write", "describe"}),
        names[2]: frozenset(),
    }


def allow(kafka: KafkaBroker, topic: str, operation: AclOperation) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    binding = AclBinding(
        ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:*", "*", operation, AclPermissionType.ALLOW
    )
    for outcome in admin.create_acls([binding]).values():
        outcome.result(10)
