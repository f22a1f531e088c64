"""Topics of a cluster: list, create, configure, delete. Kafka tells failures in the answer; here they are raised."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from coordination.errors import LogDenied, UnknownTopic
from coordination.eventlog import TopicInfo, TopicPartition, TopicSpec, check_spec
from coordination.kafkalog.client import (
    CreateTopicsRequest,
    DeleteTopicsRequest,
    DescribeConfigsRequest,
    kafka_errors,
)
from coordination.kafkalog.connection import Connection, Transient
from coordination.kafkalog.refusal import refused_code
from coordination.kafkalog.wire import ask_metadata, ask_topic_config, topic_id_text

_TOPIC = 2  # Kafka's number for "this resource is a topic"
_EXISTS = kafka_errors.TopicAlreadyExistsError.errno
_FORCE_TRIES, _FORCE_PAUSE = 40, 0.05
_INVALID = frozenset(
    error.errno
    for error in (
        kafka_errors.InvalidTopicError,
        kafka_errors.InvalidPartitionsError,
        kafka_errors.InvalidReplicationFactorError,
        kafka_errors.InvalidReplicationAssignmentError,
        kafka_errors.InvalidConfigurationError,
        kafka_errors.InvalidRequestError,
    )
)
_PATIENCE = frozenset(error.errno for error in (kafka_errors.NotControllerError, kafka_errors.RequestTimedOutError))


async def list_topics(connection: Connection) -> dict[str, TopicInfo]:
    """All topics the principal may describe, without Kafka's internal ones."""
    answer = await connection.patiently("list its topics", lambda: connection.ask(ask_metadata(None)))
    rows = [_topic_row(row) for row in answer.topics if row[0] == 0]
    shown = [row for row in rows if not row["internal"] and not row["name"].startswith("__")]
    configs = await _configs(connection, [row["name"] for row in shown])
    return {
        row["name"]: TopicInfo(
            name=row["name"],
            partitions=len(row["partitions"]),
            # (error, partition, leader, [epoch,] replicas, isr, offline…)
            replication=len(row["partitions"][0][row["replicas_at"]]) if row["partitions"] else 0,
            config=configs.get(row["name"]),
            topic_id=row["topic_id"],
        )
        for row in shown
    }


async def create_topics(connection: Connection, specs: Sequence[TopicSpec]) -> None:
    """Create topics, leave existing ones alone, and return when all of them can be written to.

    Raises LogDenied (code `invalid_topic`) for a name, number or setting the broker refuses; the others are created.
    """
    for spec in specs:
        check_spec(spec)
    if not specs:
        return
    rows = [_creation(spec) for spec in specs]
    request = CreateTopicsRequest(rows, round(connection.address.timeout * 1000), False)

    async def attempt() -> Any:
        answer = await connection.ask_controller(request)
        return [_patient(*_error_row(row)) for row in answer.topic_errors]

    outcomes = await connection.patiently("create topics", attempt)
    refused = [outcome for outcome in outcomes if outcome[1] not in (0, _EXISTS)]
    await _wait_for_leaders(connection, sorted({spec.name for spec in specs} - {name for name, *_ in refused}))
    for name, code, message in refused:
        if code in _INVALID:
            raise LogDenied(f"Kafka refuses to create topic {name!r}: {message}", code="invalid_topic")
        raise refused_code(code, message, f"create topic {name}")


async def configure_topic(connection: Connection, name: str, config: Mapping[str, str]) -> None:
    """Set these settings of a topic, and return when they can be read; all others keep their values.

    Raises LogDenied (code `invalid_topic` for a setting the broker refuses) and UnknownTopic.
    """
    request = ask_topic_config(name, dict(config))
    answer = await connection.patiently(f"configure topic {name}", lambda: connection.ask_controller(request))
    for code, message, *_ in answer.resources:
        if code in _INVALID:
            raise LogDenied(f"Kafka refuses the settings of topic {name}: {message}", code="invalid_topic")
        if code:
            raise refused_code(code, message, f"configure topic {name}")

    for _ in range(_FORCE_TRIES):  # not for ever: Kafka writes some values in another way than they were given
        current = (await _configs(connection, [name])).get(name, {})
        if all(current.get(key, value) == value for key, value in config.items()):
            break
        await asyncio.sleep(_FORCE_PAUSE)


async def delete_topic(connection: Connection, name: str) -> None:
    """Delete a topic, and return when it is gone from the metadata. Raises UnknownTopic."""
    request = DeleteTopicsRequest([name], round(connection.address.timeout * 1000))

    async def attempt() -> Any:
        answer = await connection.ask_controller(request)
        return [_patient(topic, code, None) for topic, code, *_ in answer.topic_error_codes]

    for _, code, message in await connection.patiently(f"delete topic {name}", attempt):
        if code:
            raise refused_code(code, message, f"delete topic {name}")
    while await _exists(connection, name):
        await asyncio.sleep(0.05)


def _creation(spec: TopicSpec) -> tuple[object, ...]:
    return spec.name, spec.partitions, spec.replication, [], list(spec.config.items())


async def _exists(connection: Connection, name: str) -> bool:
    answer = await connection.patiently(f"describe topic {name}", lambda: connection.ask(ask_metadata([name])))
    return any(row[0] != kafka_errors.UnknownTopicOrPartitionError.errno for row in answer.topics)


async def _wait_for_leaders(connection: Connection, names: Sequence[str]) -> None:
    async def attempt() -> None:
        try:
            counts = await connection.partition_counts(names)
        except UnknownTopic as error:
            raise Transient(str(error)) from error
        partitions = [TopicPartition(name, number) for name, count in counts.items() for number in range(count)]
        if sum(map(len, (await connection.leaders(partitions)).values())) < len(partitions):
            raise Transient("new topics have no leaders yet")

    await connection.patiently("make new topics ready", attempt)


async def _configs(connection: Connection, names: Sequence[str]) -> dict[str, dict[str, str]]:
    return await connection.patiently("tell the settings of its topics", lambda: _describe(connection, names))


async def _describe(connection: Connection, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    answer = await connection.ask(DescribeConfigsRequest([(_TOPIC, name, None) for name in names], False))
    # A topic whose settings may not be read is left out, so that it counts as unknown rather than as default.
    return {
        name: {key: value or "" for key, value, *_ in entries}
        for code, _, _, name, entries in answer.resources
        if code == 0
    }


def _topic_row(row: Any) -> dict[str, Any]:
    if len(row) == 4:  # a broker without topic ids (before Kafka 3.1)
        return {"name": row[1], "internal": row[2], "partitions": row[3], "topic_id": "", "replicas_at": 3}
    _, name, topic_id, internal, partitions, *_ = row
    text = topic_id_text(topic_id)
    return {"name": name, "internal": internal, "partitions": partitions, "topic_id": text, "replicas_at": 4}


def _error_row(row: Any) -> tuple[str, int, str | None]:
    name, code, *message = row
    return name, code, message[0] if message else None


def _patient(name: str, code: int, message: str | None) -> tuple[str, int, str | None]:
    if code in _PATIENCE:
        raise Transient(f"topic {name}: {kafka_errors.for_code(code).__name__}")
    return name, code, message
