"""The relay: once, in order, never without saying what happened."""

import asyncio

import pytest

from coordination.eventlog import EventLog
from coordination.memorylog import MemoryLog
from dashboard import approvals
from dashboard.clock import database_now
from dashboard.databasethread import DatabaseThread
from dashboard.models import Approval, Audit, Decision
from tests.dashboard.cast import ask, person
from tests.dashboard.relaying import (
    COMMANDS,
    FACTS,
    HASH,
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


async def test_every_decision_is_one_fact_and_one_command_and_its_receipt_is_true(
    log: EventLog, db: DatabaseThread
) -> None:
    ids = await db.run(decided, 30)
    await db.run(release)
    async with relaying(log):
        await until(db, settled)
    facts, commands = await on_log(log, FACTS), await on_log(log, COMMANDS)
    assert sorted(ids_of(facts, "approval.granted")) == sorted(ids)
    assert sorted(ids_of(commands, "task.resume.requested")) == sorted(ids)
    places = {event.data.decision_id: (event.topic, event.partition, event.offset) for event in commands}
    for row in await db.run(the_rows):
        published = approvals.receipts.published(row)
        assert published is not None
        assert (published.topic, published.partition, published.offset) == places[row.decision_id]
        assert row.state == "published"


async def test_rows_of_one_task_are_sent_in_order(log: EventLog, db: DatabaseThread) -> None:
    ids = await db.run(decided, 24, tasks=2)
    await db.run(release)
    async with relaying(log):
        await until(db, settled)
    sent = await on_log(log, COMMANDS)
    for task in ("task-0", "task-1"):
        of_task = [event.data.decision_id for event in sent if event.task_id == task]
        assert of_task == ids[int(task[-1]) :: 2]


async def test_a_decision_in_its_undo_window_is_held(log: EventLog, db: DatabaseThread) -> None:
    (held,) = await db.run(decided, 1)
    async with relaying(log):
        await asyncio.sleep(0.3)
        assert await on_log(log, COMMANDS) == []
        await db.run(release)
        await until(db, settled)
    assert ids_of(await on_log(log, COMMANDS), "task.resume.requested") == [held]


async def test_what_was_undone_is_never_sent(log: EventLog, db: DatabaseThread) -> None:
    (row_id,) = await db.run(decided, 1)
    await db.run(lambda: approvals.undo(row_id, Decision.objects.get().person))
    await db.run(release)
    async with relaying(log):
        await asyncio.sleep(0.2)
    assert await on_log(log, FACTS) == []


async def test_past_its_validity_a_decision_is_not_sent_and_says_so(log: EventLog, db: DatabaseThread) -> None:
    await db.run(decided, 1)
    await db.run(lambda: Decision.objects.update(held_until=0, valid_until=database_now() - 1))
    async with relaying(log):
        await until(db, settled)
    assert [row.state for row in await db.run(the_rows)] == ["late"]
    assert await on_log(log, FACTS) == []
    assert await db.run(lambda: Audit.objects.filter(act="decision.late").count()) == 1


async def test_a_published_receipt_makes_the_row_of_the_queue_newer(memory: MemoryLog, db: DatabaseThread) -> None:
    await db.run(decided, 1)
    await db.run(release)
    before = await db.run(lambda: Approval.objects.get().revision)
    async with relaying(memory):
        await until(db, settled)
    assert await db.run(lambda: Approval.objects.get().revision) > before


async def test_a_vote_that_is_not_enough_is_told_at_once(memory: MemoryLog, db: DatabaseThread) -> None:
    def vote() -> None:
        ask(policy={"rule": "quorum", "quorum": 2})
        approvals.decide(
            approval_id="ask-1", user=person("bo"), decision="approve", request_version=1, content_hash=HASH
        )

    await db.run(vote)
    async with relaying(memory):
        await until(db, settled)
    assert [event.name for event in await on_log(memory, FACTS)] == ["approval.vote.recorded"]
    assert await on_log(memory, COMMANDS) == []
