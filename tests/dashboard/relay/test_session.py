"""Sessions: what is not known is found out, what is refused is named, and others go on."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from coordination.errors import LogDenied, LogUnreachable, RecordTooLarge
from coordination.eventlog import Appended, NewRecord
from coordination.memorylog import MemoryLog
from dashboard.clock import database_now
from dashboard.databasethread import DatabaseThread
from dashboard.models import Audit, Decision
from tests.dashboard.relay.troubled import Troubled, _Troubled, troubled
from tests.dashboard.relaying import (
    COMMANDS,
    FACTS,
    QUICK,
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


@pytest.mark.parametrize("written", [True, False])
async def test_an_unknown_outcome_is_found_out_before_anything_is_sent_again(db: DatabaseThread, written: bool) -> None:
    log = await troubled([LogUnreachable("no answer")] * 2, lost=written)
    ids = await db.run(decided, 5)
    await db.run(release)
    async with relaying(log):
        await until(db, settled)
    assert sorted(ids_of(await on_log(log, FACTS), "approval.granted")) == sorted(ids)
    assert sorted(ids_of(await on_log(log, COMMANDS), "task.resume.requested")) == sorted(ids)


async def test_while_the_log_is_away_every_waiting_row_says_since_when(db: DatabaseThread) -> None:
    log = await troubled([LogUnreachable("no answer")] * 100)
    await db.run(decided, 2, tasks=1)
    await db.run(release)
    async with relaying(log):
        await until(db, lambda: Decision.objects.filter(error__contains="unreachable since").count() == 2)
        log.trouble.clear()
        await until(db, settled)
    assert [row.error for row in await db.run(the_rows)] == ["", ""]


async def test_what_nobody_tried_is_late_in_its_time_though_the_log_is_still_away(db: DatabaseThread) -> None:
    log = await troubled([LogUnreachable("no answer")] * 1_000)

    async def away(_: str) -> Any:
        raise LogUnreachable("no answer")

    log.transaction = away  # type: ignore[method-assign,assignment]
    await db.run(decided, 1)
    await db.run(release)
    await db.run(lambda: Decision.objects.update(valid_until=database_now() + 300_000))
    async with relaying(log):
        await until(db, lambda: Decision.objects.filter(state="late").exists())
    assert await db.run(lambda: Audit.objects.filter(act="decision.late").count()) == 1


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (LogDenied("No ACL."), "no write right on the topic. No ACL."),
        (RecordTooLarge("Over the limit."), "the record is too large. Over the limit."),
    ],
)
async def test_what_the_log_refuses_says_why_and_others_go_on(
    db: DatabaseThread, refusal: Exception, words: str
) -> None:
    class Picky(Troubled):
        async def transaction(self, transactional_id: str) -> Any:
            return _Picky(self, await MemoryLog.transaction(self, transactional_id))

    class _Picky(_Troubled):
        async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
            if any(b"ask-3" in (record.value or b"") for record in records):
                raise refusal
            return list(await self._inner.append(records))

    log = Picky([])
    await create_topics(log)
    ids = await db.run(decided, 6, tasks=1)
    await db.run(release)
    # Tried again twice at least, which must not enter it into the audit trail again.
    async with relaying(log):
        await until(db, settled)
        await asyncio.sleep(0.6)
    async with relaying(log, limits=msgspec.structs.replace(QUICK, reconsider=60)):
        await until(db, settled)
    states = {row.decision_id: (row.state, row.error) for row in await db.run(the_rows)}
    assert states.pop(ids[3]) == ("undeliverable", words)
    assert set(states.values()) == {("published", "")}
    assert await db.run(lambda: Audit.objects.filter(act="decision.undeliverable").count()) == 1


async def test_a_missing_topic_is_told_and_the_row_goes_out_when_it_is_there(db: DatabaseThread) -> None:
    log = MemoryLog()
    await create_topics(log, without=[COMMANDS])
    ids = await db.run(decided, 2)
    await db.run(release)
    async with relaying(log):
        await until(db, lambda: Decision.objects.filter(state="undeliverable").count() == 2)
        assert COMMANDS in (await db.run(the_rows))[0].error
        assert await on_log(log, FACTS) == []
        await create_topics(log)
        await until(db, lambda: Decision.objects.filter(state="published").count() == 2)
    assert sorted(ids_of(await on_log(log, FACTS), "approval.granted")) == sorted(ids)


async def test_when_the_log_was_truncated_the_shard_stands_still_and_says_so(
    memory: MemoryLog, db: DatabaseThread
) -> None:
    await db.run(decided, 1, tasks=1)
    row = (await db.run(the_rows))[0]
    tried = {f"{topic}/{row.relay_shard}": 7 for topic in (FACTS, COMMANDS)}
    await db.run(lambda: Decision.objects.update(held_until=0, tried_at=1, tried_from=tried))
    async with relaying(memory):
        await until(db, lambda: Decision.objects.filter(error__contains="cannot be found out").exists())
        assert [row.state for row in await db.run(the_rows)] == ["saved"]
        await db.run(lambda: Decision.objects.update(valid_until=database_now() - 1))
        await until(db, settled)
    assert [row.state for row in await db.run(the_rows)] == ["undeliverable"]
    assert await on_log(memory, COMMANDS) == []
