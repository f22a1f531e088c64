"""Upkeep tells the health while somebody watches, packs, maintains, and ends when told."""

import asyncio

import pytest

from dashboard import upkeep


@pytest.fixture
def told(monkeypatch, transactional_db):
    """What was published; the beats are quick."""
    told = []
    monkeypatch.setattr(upkeep, "BEAT", 0.01)
    monkeypatch.setattr(upkeep.live, "publish", lambda about, rows: told.append((about, rows)))
    return told


async def run_for(seconds: float) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(upkeep.run(stop))
    await asyncio.sleep(seconds)
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_the_health_is_told_to_who_watches(told, monkeypatch):
    monkeypatch.setattr(upkeep.live, "wanted", lambda about: about == "health")
    await run_for(0.3)
    about, (row,) = told[0]
    assert (about, row["kind"]) == ("health", "health")


async def test_nobody_watching_costs_no_question(told, monkeypatch):
    monkeypatch.setattr(upkeep.live, "wanted", lambda about: False)
    monkeypatch.setattr(upkeep, "health_row", lambda: pytest.fail("asked for nobody"))
    await run_for(0.1)
    assert told == []


async def test_packing_and_maintenance_come_in_their_turn(told, monkeypatch):
    done = []
    monkeypatch.setattr(upkeep.live, "wanted", lambda about: False)
    monkeypatch.setattr(upkeep, "PACK_EVERY", 0.0)
    monkeypatch.setattr(upkeep, "MAINTAIN_EVERY", 0.0)
    monkeypatch.setattr(upkeep.Packing, "pack", lambda self: done.append("pack"))

    async def maintain() -> None:
        done.append("maintain")

    monkeypatch.setattr(upkeep, "_maintain", maintain)
    await run_for(0.2)
    assert {"pack", "maintain"} == set(done)
