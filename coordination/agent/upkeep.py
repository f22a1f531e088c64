"""Forgetting: memories of work that ended long ago are taken off the log, so that it does not grow for ever."""

import asyncio
from typing import Final

from coordination.agent.handled import Handled, tombstone_of
from coordination.agent.instance import Instance
from coordination.errors import MemberFenced
from coordination.instants import MICROSECONDS

AT_ONCE: Final = 500


async def forget(instance: Instance) -> int:
    """Take off what ended more than `spec.remember` seconds ago; returns how many memories that were."""
    limit = instance.clock() - int(instance.spec.remember * MICROSECONDS)
    old = [memory for memory in instance.ledger if _over(memory) and memory.updated_at < limit][:AT_ONCE]
    for memory in old:
        instance.ledger.shelf(memory.partition).drop(memory)
    writes = [instance.write(memory.source, [tombstone_of(memory, instance.ledger.topic)]) for memory in old]
    for outcome in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, MemberFenced):
            raise outcome
    return len(old)


def _over(memory: Handled) -> bool:
    decided = memory.joining is not None and bool(memory.joining.decided)
    # A decided join is only watched for who comes late; after so long nobody will.
    return decided or not memory.open
