"""A log that makes trouble on purpose."""

from collections.abc import Sequence
from typing import Any

from coordination.eventlog import Appended, NewRecord
from coordination.memorylog import MemoryLog
from tests.dashboard.relaying import (
    create_topics,
)


class Troubled(MemoryLog):
    """A log whose transactions end as `trouble` says, one entry a try; None lets it pass."""

    def __init__(self, trouble: list[Exception | None], *, lost: bool = False) -> None:
        super().__init__()
        self.trouble, self.lost = trouble, lost

    async def transaction(self, transactional_id: str) -> Any:
        return _Troubled(self, await super().transaction(transactional_id))


class _Troubled:
    def __init__(self, log: Troubled, inner: Any) -> None:
        self._log, self._inner = log, inner

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        trouble = self._log.trouble.pop(0) if self._log.trouble else None
        if trouble is None:
            return list(await self._inner.append(records))
        if self._log.lost:
            await self._inner.append(records)
        raise trouble

    async def close(self) -> None:
        await self._inner.close()


async def troubled(trouble: list[Exception | None], **given: Any) -> Troubled:
    log = Troubled(trouble, **given)
    await create_topics(log)
    return log
