"""Agents as the ops topics know them: one row per (agent group, agent).

Registration, roles and heartbeats each own their fields; for each the newest record wins, by (instant, topic,
partition, offset), so a late one changes nothing.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from coordination.event import Event

Moment = tuple[int, str, int, int]
"""(instant in µs, topic, partition, offset): which of two records is the newer one."""


class Agent(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One agent. `registered` is its last word on that (None: it never said), `heartbeat_at` its last sign of
    life, `interval` the time (µs) until it promised the next one. `subscribes_to` are fact types.
    `roles` says of each role when it was last given (True) or taken back.
    """

    agent_group: str
    agent_id: str
    tenant: str = ""
    registered: bool | None = None
    registration: Moment | None = None
    profile: Moment | None = None
    source: str = ""
    version: str = ""
    capacity: int | None = None
    subscribes_to: tuple[str, ...] = ()
    task_types: tuple[str, ...] = ()
    roles: dict[str, tuple[Moment, bool]] = {}
    heartbeat: Moment | None = None
    state: str = ""
    running: tuple[str, ...] = ()
    interval: int | None = None
    handled: int | None = None
    failed: int | None = None
    revision: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """The row's key: (agent_group, agent_id)."""
        return self.agent_group, self.agent_id

    @property
    def heartbeat_at(self) -> int | None:
        """When it last said that it lives."""
        return self.heartbeat[0] if self.heartbeat else None

    @property
    def registered_at(self) -> int | None:
        """When it last came up, if that is its last word."""
        return self.registration[0] if self.registration and self.registered else None

    @property
    def deregistered_at(self) -> int | None:
        """When it left, if that is its last word."""
        return self.registration[0] if self.registration and not self.registered else None

    @property
    def held_roles(self) -> tuple[str, ...]:
        """The roles it holds, sorted."""
        return tuple(sorted(role for role, (_, held) in self.roles.items() if held))


Step = Callable[[Agent, Event], None]


def moment_of(event: Event) -> Moment:
    """The event's place among others about the same agent."""
    return event.at, event.topic, event.partition, event.offset


def registered(agent: Agent, event: Event) -> None:
    """agent.registered: an instance came up; its own heartbeats follow."""
    if _newer(event, agent.registration):
        agent.registered, agent.registration = True, moment_of(event)
    if not _newer(event, agent.profile):
        return
    data = event.data
    agent.profile, agent.source = moment_of(event), event.source
    agent.version, agent.capacity = data.version, data.capacity
    agent.subscribes_to, agent.task_types = data.subscribes_to, data.task_types


def deregistered(agent: Agent, event: Event) -> None:
    """agent.deregistered: it left of its own will. What its group subscribes to still holds."""
    if _newer(event, agent.registration):
        agent.registered, agent.registration = False, moment_of(event)


def role_assigned(agent: Agent, event: Event) -> None:
    """agent.role.assigned"""
    _role(agent, event, held=True)


def role_released(agent: Agent, event: Event) -> None:
    """agent.role.released"""
    _role(agent, event, held=False)


def _role(agent: Agent, event: Event, *, held: bool) -> None:
    role = event.data.role
    known = agent.roles.get(role)
    if _newer(event, known[0] if known else None):
        agent.roles = dict(sorted({**agent.roles, role: (moment_of(event), held)}.items()))


def beat(agent: Agent, event: Event) -> None:
    """agent.heartbeat.recorded: it lives, and works on these tasks."""
    if not _newer(event, agent.heartbeat):
        return
    data = event.data
    agent.heartbeat = moment_of(event)
    agent.state, agent.running = data.state, data.running
    agent.interval = data.interval_ms * 1000 if data.interval_ms else None
    agent.handled, agent.failed = data.handled, data.failed


def _newer(event: Event, known: Moment | None) -> bool:
    return known is None or moment_of(event) > known


AGENT_FACTS: Final[dict[str, Step]] = {
    "agent.registered": registered,
    "agent.deregistered": deregistered,
    "agent.role.assigned": role_assigned,
    "agent.role.released": role_released,
    "agent.heartbeat.recorded": beat,
}
