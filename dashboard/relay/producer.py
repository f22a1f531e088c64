"""What a relay shard sends with: a fenced transactional producer, or plain appends where the log has none.

The transactional id belongs to the shard, so whoever opens it fences the former owner and ends what that one left
open. Where the log knows no transactions, or the right to them is missing, records are appended one after the other
and read back before anything is sent again: then a relay that is paused at the wrong instant may double a record,
and every decision sent that way says *at least once*.
"""

import logging
from collections.abc import Sequence
from typing import Final

from django.conf import settings

from coordination.errors import LogDenied
from coordination.eventlog import Appended, EventLog, NewRecord, Transaction

logger = logging.getLogger(__name__)
AT_LEAST_ONCE: Final = "at least once"


class Appends:
    """A Transaction that is none: records go one after the other."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """Append in order; a failure in between leaves the first ones on the log."""
        appended: list[Appended] = []
        for record in records:
            appended.extend(await self._log.append([record]))
        return appended

    async def close(self) -> None:
        """Nothing was opened."""


async def open_producer(log: EventLog, shard: int) -> tuple[Transaction, str]:
    """The producer of a relay shard, and how it delivers: empty for exactly once, else AT_LEAST_ONCE."""
    if not log.transactional:
        return Appends(log), AT_LEAST_ONCE
    try:
        return await log.transaction(f"{settings.LINESIDE_NAMESPACE}-decisions-{shard}"), ""
    except LogDenied as denied:
        logger.warning("Decisions are sent at least once, because the log refuses transactions: %s", denied)
        return Appends(log), AT_LEAST_ONCE
