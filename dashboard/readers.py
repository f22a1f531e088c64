"""Who reads which topic: groups that have positions on it or members with its partitions, as the last poll saw them,
and the fact types that agent groups say they subscribe to.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from coordination.agents import Agent as AgentRow
from coordination.event import Event
from coordination.eventlog import TopicPartition
from dashboard.models import Agent, ConsumerGroup, Task

_agent: Final = msgspec.json.Decoder(AgentRow)
_NOTHING: Final[frozenset[str]] = frozenset()


class Reader(msgspec.Struct, frozen=True):
    """One consumer group: its name at the broker, its agent group ("" for one that is no agents'), the row of each
    partition it reads as the last poll left it, and when that was (µs)."""

    name: str
    agent_group: str
    partitions: Mapping[TopicPartition, Mapping[str, Any]]
    taken_at: int
    subscribes_to: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """What people call it."""
        return self.agent_group or self.name

    def reads(self, topic: str) -> bool:
        """Whether it has a position on some partition of the topic."""
        return any(where.topic == topic for where in self.partitions)

    def acts_on(self, event: Event) -> bool:
        """Whether the event is meant for it: addressed to it, or of a type it subscribes to."""
        if event.target_group:
            return event.target_group == self.agent_group
        return event.name in self.subscribes_to or event.type in self.subscribes_to


def readers() -> list[Reader]:
    """All groups of the last polls, by name."""
    said = subscriptions()
    return [_reader(group, said.get(group.agent_group, _NOTHING)) for group in ConsumerGroup.objects.order_by("group")]


def _reader(group: ConsumerGroup, subscribes_to: frozenset[str]) -> Reader:
    return Reader(group.group, group.agent_group, _partitions(group), group.taken_at, subscribes_to)


def _partitions(group: ConsumerGroup) -> dict[TopicPartition, Mapping[str, Any]]:
    rows = msgspec.json.decode(group.body).get("partitions") or []
    return {TopicPartition(row["topic"], row["partition"]): row for row in rows}


def subscriptions() -> dict[str, frozenset[str]]:
    """Agent group -> the fact types that one of its agents said it subscribes to."""
    found: dict[str, set[str]] = {}
    for agent in map(_agent.decode, Agent.objects.values_list("body", flat=True)):
        if agent.subscribes_to:
            found.setdefault(agent.agent_group, set()).update(agent.subscribes_to)
    return {group: frozenset(types) for group, types in found.items()}


def declared_groups() -> set[str]:
    """Agent groups that registered, sent heartbeats, or are waited for."""
    groups = set(Agent.objects.values_list("agent_group", flat=True).distinct())
    groups |= set(Task.objects.filter(ended_at=None).values_list("agent_group", flat=True).distinct())
    return groups - {""}
