"""Who reads what: from the last polls, and from what agents say of themselves."""

import msgspec
import pytest

from coordination.agents import Agent as AgentRow
from coordination.eventlog import TopicPartition
from dashboard.models import Agent, ConsumerGroup
from dashboard.readers import declared_groups, readers, subscriptions
from tests.dashboard.scenes import group, task

pytestmark = pytest.mark.django_db


def registered(name: str, *facts: str) -> None:
    row = AgentRow(agent_group=name, agent_id=f"{name}-1", subscribes_to=facts)
    body = msgspec.json.encode(row).decode()
    Agent.objects.create(agent_group=name, agent_id=row.agent_id, revision=1, body=body)


def test_a_group_reads_the_topics_on_which_it_has_partitions() -> None:
    group("payer")
    registered("payer", "task.completed")
    (reader,) = readers()
    assert (reader.label, reader.subscribes_to) == ("payer", frozenset({"task.completed"}))
    assert reader.reads("coord.run.task.commands")
    assert not reader.reads("coord.ops.events")
    assert TopicPartition("coord.run.task.commands", 3) in reader.partitions


def test_a_group_that_is_no_agents_goes_by_its_own_name() -> None:
    group("payer")
    ConsumerGroup.objects.update(group="analytics", agent_group="")
    assert [reader.label for reader in readers()] == ["analytics"]


def test_subscriptions_are_what_any_agent_of_the_group_said() -> None:
    registered("payer", "task.completed")
    assert subscriptions() == {"payer": frozenset({"task.completed"})}


def test_groups_are_those_declared_and_those_waited_for() -> None:
    task("a", agent_group="payer")
    task("b", agent_group="done", state="completed", ended_at=5)
    registered("coder")
    assert declared_groups() == {"payer", "coder"}
