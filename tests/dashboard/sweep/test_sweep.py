"""The sweeper as a whole: one at a time, and a part that fails keeps no other."""

import asyncio

import pytest

from dashboard.models import Approval, Step, Worker
from dashboard.sweep import Sweeper
from tests.dashboard.cast import person
from tests.dashboard.relaying import tables, until
from tests.dashboard.sweep.sweeping import asked_in

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
async def test_the_sweeper_sweeps_while_it_holds_the_lease() -> None:
    stop = asyncio.Event()
    async with tables() as db:
        await db.run(person, "ana")
        sweepers = [asyncio.create_task(Sweeper(f"w-{n}", every=0.02, seconds=0.6).run(stop)) for n in range(2)]
        await db.run(asked_in, 0.3)
        await until(db, lambda: Approval.objects.filter(state="expired").exists())
        stop.set()
        await asyncio.gather(*sweepers)
        assert await db.run(Step.objects.count) == 1
        assert not await db.run(Worker.objects.exists)


@pytest.mark.django_db(transaction=True)
async def test_a_part_that_fails_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        raise RuntimeError("no")

    monkeypatch.setattr("dashboard.sweep.withdraw_dead", broken)
    stop = asyncio.Event()
    async with tables() as db:
        await db.run(asked_in, 0.1)
        sweeping = asyncio.create_task(Sweeper("w", every=0.02).run(stop))
        await until(db, lambda: Approval.objects.filter(state="expired").exists())
        stop.set()
        await sweeping
