"""Killed at every transaction: each task ends, each fact is said once, each effect keeps its key."""

import asyncio
from collections import Counter

import pytest

from tests.coordination.agent.mortal import Mortal
from tests.coordination.agent.settling import Bank, payer, reviewer, worker
from tests.coordination.agent.stage import Stage

COMMITS = 22
"""As many as the scenario takes at most, positions committed in between included."""


async def play(stage: Stage, nth: int, before: bool) -> tuple[Mortal, Bank]:
    """The scenario, with an instance of the payer that dies once and another that comes after it."""
    bank, mortal = Bank(), Mortal(stage.log, nth, before=before)
    stage.start(worker(stage))
    stop = asyncio.Event()
    reviewing = asyncio.create_task(reviewer(stage, stop))
    first = stage.start(payer(stage, bank), "payer-1", log=mortal)
    await stage.client.start_run("run-1", "settle", "payer", name="Settle")
    ended = asyncio.create_task(stage.until("run.completed", timeout=30))
    died = asyncio.create_task(mortal.dead.wait())
    await asyncio.wait([ended, died], return_when=asyncio.FIRST_COMPLETED)
    died.cancel()
    if mortal.dead.is_set():
        stage.crash(first)
        stage.start(payer(stage, bank), "payer-2")
    await ended
    mortal.spare()
    stop.set()
    await reviewing
    return mortal, bank


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("nth", range(1, COMMITS + 1))
async def test_a_run_survives_the_death_of_its_agent_at_any_transaction(stage: Stage, nth: int, before: bool) -> None:
    _, bank = await play(stage, nth, before)
    (completed,) = await stage.until("run.completed")
    assert completed.data.output == {"matched": [0, 2, 4], "single": 18, "decision": "approve"}
    workflow = Counter(event.name for event in await stage.events("run.workflow.events"))
    assert workflow == {
        "run.started": 1,
        "fanout.opened": 1,
        "fanout.sealed": 1,
        "fanin.satisfied": 1,
        "run.completed": 1,
    }
    commands = [event for event in await stage.events("run.task.commands") if event.name == "task.requested"]
    assert len(commands) == 5
    assert len(bank.told) == 2
    # A crash between an effect and the record of it repeats it under the same key; nothing else does.
    assert sum(bank.told.values()) <= 3
    applied = [event for event in await stage.events() if event.name == "decision.applied"]
    assert len(applied) == len({event.data.decision_id for event in applied})


async def test_the_scenario_dies_at_each_of_its_transactions(stage: Stage) -> None:
    mortal, bank = await play(stage, 0, before=True)
    assert bank.told.total() == 2
    # More commits than COMMITS would leave some of them untried.
    assert 10 <= mortal.transactions <= COMMITS
