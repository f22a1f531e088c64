"""A log whose user dies at a chosen transaction: from then on nothing it does reaches the log any more.

To the log this is what `kill -9` is: the transaction was written or it was not, and the process is silent. The
group is told at once, so that a test need not wait for the session to time out.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from coordination.eventlog import Appended, NewRecord, TopicPartition


class Mortal:
    """`inner` for one process. It dies `before` or after its nth commit; `dead` is set then."""

    def __init__(self, inner: Any, nth: int = 0, *, before: bool = True) -> None:
        self._inner, self._nth, self._before = inner, nth, before
        self.dead = asyncio.Event()
        self.transactions = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._mortal(found) if asyncio.iscoroutinefunction(found) else found

    def spare(self) -> None:
        """Let it live, if it still does."""
        self._nth = 0

    async def join(self, *arguments: Any, **named: Any) -> Any:
        """A member that dies with the rest."""
        return MortalMember(self, await self._inner.join(*arguments, **named))

    async def count(self, member: Any) -> None:
        """One more commit is about to happen; die if it is the one."""
        self.transactions += 1
        if self.transactions == self._nth and self._before:
            await self.die(member)
        await self.alive()

    async def counted(self, member: Any) -> None:
        """The commit has happened; die if it was the one."""
        if self.transactions == self._nth and not self._before:
            await self.die(member)
        await self.alive()

    async def die(self, member: Any) -> None:
        """Say nothing any more."""
        self.dead.set()
        await member.close()

    async def alive(self) -> None:
        """Return to the living, never to the dead."""
        if self.dead.is_set():
            await asyncio.Event().wait()

    def _mortal(self, call: Any) -> Any:
        async def called(*arguments: Any, **named: Any) -> Any:
            await self.alive()
            answer = await call(*arguments, **named)
            await self.alive()
            return answer

        return called


class MortalMember:
    """A member that dies with its process."""

    def __init__(self, log: Mortal, inner: Any) -> None:
        self._log, self._inner = log, inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def poll(self, max_records: int, timeout: float) -> Any:
        """Records for the living."""
        await self._log.alive()
        records = await self._inner.poll(max_records, timeout)
        await self._log.alive()
        return records

    async def commit(self, offsets: Mapping[TopicPartition, int], records: Sequence[NewRecord] = ()) -> list[Appended]:
        """A commit that may be the last."""
        await self._log.count(self._inner)
        placed: list[Appended] = await self._inner.commit(offsets, records)
        await self._log.counted(self._inner)
        return placed

    async def close(self) -> None:
        """The dead have left already."""
        await self._inner.close()
