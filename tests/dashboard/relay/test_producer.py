"""Producers: where there are no transactions, delivery is at least once and says so."""

from collections.abc import Sequence
from typing import Any

import pytest

from coordination.errors import LogDenied, LogUnreachable
from coordination.eventlog import Appended, NewRecord
from coordination.memorylog import MemoryLog
from dashboard.databasethread import DatabaseThread
from tests.dashboard.relaying import (
    COMMANDS,
    FACTS,
    create_topics,
    decided,
    ids_of,
    on_log,
    relaying,
    release,
    settled,
    the_rows,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_log_without_transactions_is_labelled_at_least_once_and_still_reads_back(db: DatabaseThread) -> None:
    class Plain(MemoryLog):
        transactional = False

        def __init__(self) -> None:
            super().__init__()
            self.failures = 3

        async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
            appended = await super().append(records)
            self.failures -= 1
            if self.failures in (0, 1):
                raise LogUnreachable("the answer was lost")
            return appended

    log = Plain()
    await create_topics(log)
    ids = await db.run(decided, 3, tasks=1)
    await db.run(release)
    async with relaying(log):
        await until(db, settled)
    assert sorted(ids_of(await on_log(log, FACTS), "approval.granted")) == sorted(ids)
    assert sorted(ids_of(await on_log(log, COMMANDS), "task.resume.requested")) == sorted(ids)
    assert {row.provenance["delivery"] for row in await db.run(the_rows)} == {"at least once"}


async def test_where_transactions_are_forbidden_decisions_still_go_out(db: DatabaseThread) -> None:
    class Forbidding(MemoryLog):
        async def transaction(self, transactional_id: str) -> Any:
            raise LogDenied(f"no right to the transactional id {transactional_id}")

    log = Forbidding()
    await create_topics(log)
    ids = await db.run(decided, 2)
    await db.run(release)
    async with relaying(log):
        await until(db, settled)
    assert sorted(ids_of(await on_log(log, COMMANDS), "task.resume.requested")) == sorted(ids)
