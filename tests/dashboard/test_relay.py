"""The relay: once, in order, never without saying what happened. On the memory log and the SQLite log."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from coordination.errors import LogDenied, LogUnreachable, RecordTooLarge
from coordination.event import Event
from coordination.eventlog import Appended, EventLog, NewRecord
from coordination.memorylog import MemoryLog
from coordination.sqlitelog import SqliteLog
from dashboard import approvals
from dashboard.clock import database_now
from dashboard.databasethread import DatabaseThread
from dashboard.models import Approval, Audit, Decision, Shard, Worker
from dashboard.relay import NAMES, outcomes
from dashboard.relay.lease import Lease, LeaseLost
from dashboard.relay.shard import ShardRelay
from dashboard.shards import Leases
from tests.dashboard.cast import ask, person
from tests.dashboard.relaying import (
    COMMANDS,
    FACTS,
    HASH,
    QUICK,
    create_topics,
    decided,
    on_log,
    relaying,
    release,
    settled,
    tables,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


@pytest.fixture
async def db() -> AsyncIterator[DatabaseThread]:
    async with tables() as thread:
        yield thread


@pytest.fixture(params=["memory", "sqlite"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EventLog]:
    opened: EventLog = MemoryLog() if request.param == "memory" else SqliteLog(tmp_path / "log.sqlite3")
    await create_topics(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def memory() -> MemoryLog:
    opened = MemoryLog()
    await create_topics(opened)
    return opened


def the_rows() -> list[Decision]:
    return list(Decision.objects.order_by("saved_at"))


def ids_of(events: Sequence[Event], name: str) -> list[str]:
    return [event.data.decision_id for event in events if event.name == name]


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


@pytest.mark.parametrize("written", [True, False])
async def test_an_unknown_outcome_is_found_out_before_anything_is_sent_again(
    db: DatabaseThread, written: bool
) -> None:
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


@pytest.mark.parametrize("refusal", [LogDenied("no write right on the topic"), RecordTooLarge("over the limit")])
async def test_what_the_log_refuses_says_why_and_others_go_on(db: DatabaseThread, refusal: Exception) -> None:
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
    assert states.pop(ids[3]) == ("undeliverable", str(refusal))
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


async def test_a_relay_that_sleeps_past_its_lease_writes_nothing(log: EventLog, db: DatabaseThread) -> None:
    ids = await db.run(decided, 1)
    await db.run(release)
    asleep, awake = asyncio.Event(), asyncio.Event()

    async def sleep_before_sending(stage: str) -> None:
        if stage == "sending" and not asleep.is_set():
            asleep.set()
            await awake.wait()

    held = await db.run(lambda: Leases("sleeper", "relay").renew(NAMES))
    number = (await db.run(the_rows))[0].relay_shard
    lease = Lease(number, held[f"relay:{number}"], "sleeper", time.monotonic() + 3600)
    sleeper = ShardRelay(log, lease, db, limits=QUICK, stage=sleep_before_sending)
    sleeper.wake()
    task = asyncio.create_task(sleeper.run())
    await asleep.wait()
    await db.run(lambda: (Shard.objects.update(lease_until=0), Worker.objects.all().delete()))
    async with relaying(log, worker="other"):
        await until(db, settled)
        awake.set()
        await asyncio.wait_for(task, 10)
    assert ids_of(await on_log(log, COMMANDS), "task.resume.requested") == ids
    assert ids_of(await on_log(log, FACTS), "approval.granted") == ids
    assert [row.state for row in await db.run(the_rows)] == ["published"]


@pytest.mark.parametrize("write", ["begin", "publish", "late", "give up", "unknown", "reconsider", "explain"])
def test_without_its_lease_a_relay_writes_nothing_at_all(write: str) -> None:
    (row_id,) = decided(1)
    Decision.objects.update(held_until=0, valid_until=1, tried_at=1)
    number = Decision.objects.get().relay_shard
    Leases("late", "relay").renew(NAMES)
    Shard.objects.update(owner="other", epoch=2)
    before = Decision.objects.values().get()
    lease = Lease(number, 1, "late", time.monotonic() + 3600)
    writes: dict[str, Callable[[], object]] = {
        "begin": lambda: outcomes.begin(lease, {row_id: {}}),
        "publish": lambda: outcomes.publish(lease, {row_id: []}, mode=""),
        "late": lambda: outcomes.give_up_late(lease, number),
        "give up": lambda: outcomes.give_up(lease, row_id, "no"),
        "unknown": lambda: outcomes.give_up_unknown(lease, number, "no"),
        "reconsider": lambda: outcomes.reconsider(lease, number, 0),
        "explain": lambda: outcomes.explain(lease, number, "no"),
    }
    with pytest.raises(LeaseLost):
        writes[write]()
    assert Decision.objects.values().get() == before


async def test_two_relays_share_the_shards_and_double_nothing(log: EventLog, db: DatabaseThread) -> None:
    ids = await db.run(decided, 24, tasks=24)
    await db.run(release)
    async with relaying(log, seconds=0.6) as one, relaying(log, seconds=0.6) as two:
        await until(db, settled)
        await until(db, lambda: Decision.objects.exists() and bool(one.shards) and bool(two.shards))
        assert not one.shards.keys() & two.shards.keys()
    assert sorted(ids_of(await on_log(log, COMMANDS), "task.resume.requested")) == sorted(ids)


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
