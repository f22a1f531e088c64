"""Data of agent facts: who there is, what they play, whether they live."""

from coordination.events.shapes import Count, Data, Ordinal
from coordination.instants import Instant


class AgentRegistered(Data, frozen=True, gc=False, kw_only=True):
    """An instance came up. `subscribes_to` lists the fact types (catalogue names) its group acts upon."""

    agent_group: str = ""
    subscribes_to: tuple[str, ...] = ()
    task_types: tuple[str, ...] = ()
    capacity: Ordinal | None = None
    version: str = ""
    started_at: Instant | None = None


class AgentRole(Data, frozen=True, gc=False, kw_only=True):
    """A role was given to an agent or taken back."""

    role: str = ""
    agent_group: str = ""


class AgentDeregistered(Data, frozen=True, gc=False, kw_only=True):
    """An instance left of its own will."""

    agent_group: str = ""
    reason: str = ""


class AgentHeartbeatRecorded(Data, frozen=True, gc=False, kw_only=True):
    """An instance lives. `running` are the task ids it works on, `interval_ms` when to expect the next one."""

    agent_group: str = ""
    state: str = ""
    running: tuple[str, ...] = ()
    capacity: Ordinal | None = None
    interval_ms: Ordinal | None = None
    handled: Count | None = None
    failed: Count | None = None
