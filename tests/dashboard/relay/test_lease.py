"""Leases: who lost one sends nothing and writes nothing."""

import asyncio
import time
from collections.abc import Callable

import pytest

from coordination.eventlog import EventLog
from dashboard.databasethread import DatabaseThread
from dashboard.models import Decision, Shard, Worker
from dashboard.relay import NAMES, outcomes
from dashboard.relay.lease import Lease, LeaseLost
from dashboard.relay.shard import ShardRelay
from dashboard.shards import Leases
from tests.dashboard.relaying import (
    COMMANDS,
    FACTS,
    QUICK,
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


async def test_a_relay_that_wakes_and_opens_its_producer_anew_writes_nothing(log: EventLog, db: DatabaseThread) -> None:
    """It fences the relay that owns the shard by now, but has no lease: the owner comes back and sends all of it."""
    held = await db.run(lambda: Leases("sleeper", "relay").renew(NAMES))
    ids = await db.run(decided, 1)
    number = (await db.run(the_rows))[0].relay_shard
    await db.run(lambda: (Shard.objects.update(lease_until=0), Worker.objects.all().delete()))
    reached: list[str] = []

    async def note(stage: str) -> None:
        reached.append(stage)

    async with relaying(log, worker="other", seconds=0.6):
        await db.run(release)
        await until(db, settled)
        lease = Lease(number, held[f"relay:{number}"], "sleeper", time.monotonic() + 3600)
        woken = ShardRelay(log, lease, db, limits=QUICK, stage=note)
        ids += await db.run(lambda: decided(1, first=7))
        woken.wake()
        task = asyncio.create_task(woken.run())
        await db.run(release)
        await until(db, settled)
        woken.stop()
        await asyncio.wait_for(task, 10)
    assert "sent" not in reached
    assert ids_of(await on_log(log, COMMANDS), "task.resume.requested") == ids
    assert ids_of(await on_log(log, FACTS), "approval.granted") == ids


@pytest.mark.parametrize("write", ["begin", "publish", "late", "give up", "unknown", "reconsider", "explain"])
def test_without_its_lease_a_relay_writes_nothing_at_all(write: str) -> None:
    (row_id,) = decided(1)
    Decision.objects.update(held_until=0, valid_until=1, tried_at=1)
    number = Decision.objects.get().relay_shard
    Leases("late", "relay").renew(NAMES)
    Shard.objects.update(owner="other", epoch=2)
    if write == "reconsider":
        Decision.objects.update(state="undeliverable", valid_until=None)
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
