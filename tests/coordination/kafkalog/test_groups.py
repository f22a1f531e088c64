"""Rules of listing consumer groups of every kind."""

import asyncio
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer

from coordination.eventlog import GroupInfo, MemberInfo, TopicPartition
from coordination.kafkalog import KafkaLog
from coordination.kafkalog import groups as module
from coordination.kafkalog.wire import Ask
from tests.coordination.adapters import settle
from tests.coordination.kafkalog.conftest import MakeTopic, numbered
from tests.services.kafka import KafkaBroker


async def described(log: KafkaLog, group: str) -> GroupInfo:
    (info,) = [info for info in await log.groups() if info.group == group]
    return info


async def test_a_group_of_the_new_protocol_is_shown_with_its_members_and_never_as_dead(
    kafka: KafkaBroker, log: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic(partitions=3)
    settings = {"bootstrap.servers": kafka.bootstrap, "group.id": f"{name}.new", "group.protocol": "consumer"}
    consumer = Consumer(settings | {"client.id": "librdkafka"})
    consumer.subscribe([name])
    try:
        await _poll_until(consumer, lambda: len(consumer.assignment()) == 3)
        info = await described(log, f"{name}.new")
        assert (info.state, info.protocol) == ("stable", "consumer")
        assert info.members is not None
        (member,) = info.members
        assert member.client_id == "librdkafka"
        assert member.host == "127.0.0.1"
        assert member.partitions == tuple(TopicPartition(name, number) for number in range(3))
        assert info.generation is not None
    finally:
        await asyncio.to_thread(consumer.close)
    gone = await described(log, f"{name}.new")
    assert (gone.state, gone.members) == ("empty", ())


async def test_many_groups_of_both_protocols_are_told_apart(
    kafka: KafkaBroker, log: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic()
    await log.append(numbered(name, range(5)))
    for number in range(7):
        await log.set_commits(f"{name}.{number}", {TopicPartition(name, 0): number % 5})
    classic = await log.join(f"{name}.classic", [name], client_id="classic")
    await settle([classic], lambda: len(classic.assignment()) == 1)
    found = {info.group: info for info in await log.groups() if info.group.startswith(name)}
    assert set(found) == {*(f"{name}.{number}" for number in range(7)), f"{name}.classic"}
    assert {found[f"{name}.{number}"].state for number in range(7)} == {"empty"}
    assert [member.client_id for member in found[f"{name}.classic"].members or ()] == ["classic"]


async def test_the_number_that_stands_for_a_classic_generation_changes_with_the_members(
    log: KafkaLog, topic: MakeTopic
) -> None:
    name = await topic(partitions=2)
    group = f"{name}.group"
    one = await log.join(group, [name], client_id="one")
    await settle([one], lambda: len(one.assignment()) == 2)
    alone = await described(log, group)
    assert (await described(log, group)).generation == alone.generation
    two = await log.join(group, [name], client_id="two")
    await settle([one, two], lambda: len(one.assignment()) == len(two.assignment()) == 1)
    assert (await described(log, group)).generation != alone.generation


async def test_a_group_that_cannot_be_described_is_listed_with_members_unknown(
    log: KafkaLog, topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = await topic()
    await log.set_commits(f"{name}.group", {TopicPartition(name, 0): 0})
    monkeypatch.setattr(module, "_described", _empty)
    info = await described(log, f"{name}.group")
    assert (info.state, info.members, info.generation) == ("empty", None, None)


@pytest.mark.parametrize(("code", "state"), [(30, "Dead"), (0, "Dead"), (15, "")])
def test_a_refused_description_leaves_the_state_the_list_gave(code: int, state: str) -> None:
    listed = module._Listed("g", "consumer", "stable", "classic", 1)
    info = module._classic_info(listed, (code, "g", state, "", "", [], -1, {}))
    assert (info.state, info.members) == ("stable", None)


def test_an_assignment_of_another_protocol_is_no_error() -> None:
    assert module._assigned(b"\x00\x01not a consumer's") == ()
    assert module._assigned(b"") == ()
    assert module._assigned(None) == ()


def test_a_broker_without_group_types_is_understood() -> None:
    assert module._listed_row(("g", ""), 1) == module._Listed("g", "consumer", "unknown", "classic", 1)
    member = ("id", "client", "/10.0.0.1", b"", b"")
    info = module._classic_info(
        module._listed_row(("g", "consumer"), 1), (0, "g", "PreparingRebalance", "consumer", "", [member])
    )
    assert info.state == "preparing_rebalance"
    assert info.members is not None
    assert (info.members[0].member_id, info.members[0].host) == ("id", "10.0.0.1")


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Stable", "stable"),
        ("Empty", "empty"),
        ("Dead", "dead"),
        ("CompletingRebalance", "completing_rebalance"),
        ("Reconciling", "completing_rebalance"),
        ("Assigning", "preparing_rebalance"),
        ("Yodelling", "unknown"),
    ],
)
def test_states_have_one_vocabulary(word: str, state: str) -> None:
    assert module._state(word) == state


async def _empty(*_: object) -> list[object]:
    return []


async def _poll_until(consumer: Consumer, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.to_thread(consumer.poll, 0.2)


async def test_answers_of_an_older_broker_are_understood(
    log: KafkaLog, topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ask, "prepare", _oldest)
    name = await topic(partitions=2)
    member = await log.join(f"{name}.group", [name], client_id="old")
    monkeypatch.undo()  # positions need KIP-447
    await settle([member], lambda: len(member.assignment()) == 2)
    monkeypatch.setattr(Ask, "prepare", _oldest)
    info = await described(log, f"{name}.group")
    assert info.state == "stable"
    assert [(m.client_id, set(m.partitions)) for m in info.members or ()] == [("old", set(member.assignment()))]
    told = (await log.topics())[name]
    assert (told.partitions, told.replication, told.topic_id) == (2, 1, "")


def _oldest(self: Ask, _: object) -> object:
    return self._versions[0]


def test_a_generation_made_of_members_is_another_for_others_and_fits_into_a_databases_integer() -> None:
    numbers = {module._fingerprint([MemberInfo(f"member-{n}", "c", "h", ())]) for n in range(200)}
    assert len(numbers) == 200
    assert all(0 <= number < 2**31 for number in numbers)
