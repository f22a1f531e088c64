"""The life of an instance: say that it is there, be a member of its group as long as it lasts, leave.

Whoever was expelled joins again and starts from nothing, because everything it held in memory may be somebody
else's by now.
"""

import asyncio
import logging
from typing import Final

from coordination.agent.heartbeat import Heartbeat
from coordination.agent.instance import Instance
from coordination.agent.term import Term
from coordination.errors import LogUnreachable
from coordination.eventlog import Membership

logger: Final = logging.getLogger("coordination.agent")
AGAIN_AFTER: Final = 0.5


class Runtime:
    """Runs one instance until told to stop."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._heartbeat = Heartbeat(instance)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish or give back what is in hand.

        Raises what waiting cannot help: LogDenied, UnknownTopic.
        """
        await self._heartbeat.registered()
        beating = asyncio.create_task(self._heartbeat.run())
        try:
            while not stop.is_set():
                member = await self._join(stop)
                if member is not None:
                    await Term(self._instance, member).serve(stop)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
        await self._heartbeat.deregistered("stopped")

    async def _join(self, stop: asyncio.Event) -> Membership | None:
        instance = self._instance
        silent = False
        while not stop.is_set():
            try:
                return await instance.log.join(
                    instance.consumer_group,
                    instance.topics,
                    client_id=instance.identity.agent_id,
                    session_timeout=instance.spec.session_timeout,
                )
            except LogUnreachable as error:
                if not silent:
                    logger.warning("Cannot join %s, trying again: %s", instance.consumer_group, error)
                silent = True
                await asyncio.sleep(AGAIN_AFTER)
        return None
