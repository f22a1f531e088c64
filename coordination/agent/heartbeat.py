"""Signs of life: that an instance came, that it lives and what it works on, that it left."""

import asyncio
import logging
from typing import Final

from coordination.agent.instance import Instance
from coordination.agent.voice import Said
from coordination.errors import CoordinationError
from coordination.events.agent import AgentDeregistered, AgentHeartbeatRecorded, AgentRegistered
from coordination.instants import moment

logger: Final = logging.getLogger("coordination.agent")
MAX_NAMED: Final = 200
"""Task ids in one heartbeat; more would not fit beside the rest."""


class Heartbeat:
    """Speaks for the process, not for a partition, so it is not fenced: a zombie that lives is worth knowing."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._silent = False

    async def registered(self) -> None:
        """The instance came up, and says what it acts upon."""
        spec = self._instance.spec
        data = AgentRegistered(
            agent_group=spec.group,
            subscribes_to=tuple(sorted(spec.facts)),
            task_types=tuple(sorted(spec.tasks)),
            capacity=spec.concurrency,
            version=spec.version,
            started_at=moment(self._instance.clock()),
        )
        await self._say(self._instance.voice.say("agent.registered", run_id="", data=data))

    async def deregistered(self, reason: str) -> None:
        """The instance leaves of its own will."""
        data = AgentDeregistered(agent_group=self._instance.group, reason=reason)
        await self._say(self._instance.voice.say("agent.deregistered", run_id="", data=data))

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(self._instance.spec.heartbeat)

    async def beat(self) -> None:
        """One heartbeat."""
        instance = self._instance
        running = sorted({work.task_id for work in instance.works.values() if work.in_hand and work.task_id})
        data = AgentHeartbeatRecorded(
            agent_group=instance.group,
            state="working" if running else "idle",
            running=tuple(running[:MAX_NAMED]),
            capacity=instance.spec.concurrency,
            interval_ms=int(instance.spec.heartbeat * 1000),
            handled=instance.counters.handled,
            failed=instance.counters.failed,
        )
        await self._say(instance.voice.say("agent.heartbeat.recorded", run_id="", data=data))

    async def _say(self, said: Said) -> None:
        try:
            await self._instance.log.append([said.record])
            self._silent = False
        except CoordinationError as error:
            if not self._silent:
                logger.warning("A sign of life was not written: %s", error)
            self._silent = True
