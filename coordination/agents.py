"""Agents as the ops topics know them: one row per (agent group, agent)."""

import msgspec


class Agent(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One agent instance. `registered` is its last word on that, `heartbeat_at` the last sign of life.

    Registration facts and heartbeats stand on different topics; each owns its fields, newest position wins.
    """

    agent_group: str
    agent_id: str
    tenant: str = ""
    source: str = ""
    registered: bool | None = None
    registered_at: int | None = None
    deregistered_at: int | None = None
    register_mark: tuple[int, str, int, int] | None = None
    version: str = ""
    subscribes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    heartbeat_at: int | None = None
    heartbeat_mark: tuple[int, str, int, int] | None = None
    heartbeat_seconds: float | None = None
    running: tuple[str, ...] = ()
    first_at: int | None = None
    revision: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """The row's key: (agent_group, agent_id)."""
        return self.agent_group, self.agent_id
