"""Reading ahead while new work is held back.

Requests to cancel and to compensate stand on the topic of new work, behind it. While an instance has its hands full
and pauses that topic, a reader beside the consumer group looks through what lies ahead for exactly these, so that
nobody has to wait for a thousand tasks to begin before one of them is stopped. The consumer group comes across them
once more later, and finds them done.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from coordination.errors import CoordinationError
from coordination.eventlog import EventLog, Record, TopicPartition

logger: Final = logging.getLogger("coordination.agent")
PATIENCE: Final = 0.2
"""Seconds a pause lasts before it is worth a reader."""


class Lookahead:
    """Looks ahead while begun; `take` gets each record for which `controls` holds."""

    def __init__(
        self, log: EventLog, controls: Callable[[Record], bool], take: Callable[[Record], Awaitable[None]]
    ) -> None:
        self._log, self._controls, self._take = log, controls, take
        self._task: asyncio.Task[None] | None = None

    def begin(self, positions: Mapping[TopicPartition, int]) -> None:
        """New work is held back from these positions on."""
        self.end()
        self._task = asyncio.create_task(self._look(positions))

    def end(self) -> None:
        """New work is read again."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look(self, positions: Mapping[TopicPartition, int]) -> None:
        await asyncio.sleep(PATIENCE)
        try:
            reader = await self._log.reader(positions)
            try:
                while True:
                    for record in await reader.read(500, 1.0):
                        if self._controls(record):
                            await self._take(record)
            finally:
                await reader.close()
        except CoordinationError as error:
            logger.warning("Cannot look ahead for requests to cancel: %s", error)
