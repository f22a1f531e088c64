"""The sample agents: the same for the same seed, every kind of thing a page shows, and nothing out of order."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from coordination.manifest import Manifest
from coordination.samples import GROUPS, make_agent, run_crew
from coordination.samples.director import AT_ONCE, FIRST_BATCH, start, started
from coordination.samples.incidents import incident
from coordination.samples.refundbatches import batch
from coordination.samples.stage import Stage as Setting
from coordination.signing import Keyring
from coordination.sqlitelog import SqliteLog
from tests.coordination.agent.stage import DECISION_KEY, Stage

FAST = 40.0


def setting(seed: int = 7) -> Setting:
    return Setting(seed=seed, rate=FAST, keyring=Keyring.of(DECISION_KEY))


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A stage on which all sample agents work."""
    stage = Stage()
    await stage.open()
    yield stage
    await stage.close()
    assert await stage.anomalies() == []


async def approve(stage: Stage, stop: asyncio.Event) -> None:
    """Approve what is asked."""
    answered: set[str] = set()
    while not stop.is_set():
        for request in await stage.events("review.approval.commands"):
            if request.id not in answered:
                answered.add(request.id)
                await stage.decide(request)
        await asyncio.sleep(0.1)


async def play(stage: Stage, *numbers: int) -> list[str]:
    """Play these runs to their end, with everything approved; their ids."""
    here = setting()
    for group in GROUPS:
        stage.start(make_agent(group, here), f"{group}-1", log=stage.log)
    runs = [await start(stage.client, here, number) for number in numbers]
    stop = asyncio.Event()
    approving = asyncio.create_task(approve(stage, stop))
    ends = ("run.completed", "run.failed", "run.canceled")
    await stage.until_some(
        "run.workflow.events", lambda event: event.name in ends, count=len(runs), timeout=120, every=0.2
    )
    stop.set()
    await approving
    return runs


def spoiled(place: int) -> bool:
    """Whether the batch at this place, counted from 0, holds an amount that cannot be read."""
    return any("," in item.amount for item in batch(setting().chance("batch", place), FIRST_BATCH + place).items)


@pytest.mark.parametrize("make", [incident, batch])
def test_the_same_seed_gives_the_same_content(make: Any) -> None:
    one, again = (make(setting().chance("x", 1), 4412) for _ in range(2))
    assert one == again
    assert make(setting(seed=8).chance("x", 1), 4412) != one


def test_incidents_and_batches_read_like_those_of_a_company() -> None:
    assert incident(setting().chance(0), 4400).title.startswith("Investigate INC-4400, checkout latency")
    assert batch(setting().chance(0), 1120).title == "Refund batch 1120, card duplicates"
    amounts = [item.amount for number in range(30) for item in batch(setting().chance(number), number).items]
    assert all(isinstance(amount, str) for amount in amounts)
    assert any("," in amount for amount in amounts)


async def test_an_investigation_fans_out_asks_and_ends(stage: Stage) -> None:
    await play(stage, 0)
    # Two of three sides are evidence enough: when the run ends, the third may still be at work.
    joined = ("fanin.satisfied", "fanin.failed")
    await stage.until_some("run.workflow.events", lambda event: event.name in joined, count=5, timeout=60, every=0.2)
    workflow = Counter(event.name for event in await stage.events("run.workflow.events"))
    assert workflow["run.completed"] == 1
    assert workflow["fanout.opened"] == workflow["fanin.satisfied"] + workflow["fanin.failed"] == 5
    rules = {event.data.join for event in await stage.events("run.workflow.events") if event.name == "fanout.opened"}
    assert {"all", "all_settled", "quorum(2)"} <= rules
    tools = Counter(event.name for event in await stage.events("run.tool.events"))
    assert tools["model.call.completed"] > 5
    assert tools["tool.call.completed"] > 10
    (request,) = await stage.events("review.approval.commands")
    assert request.data.action.args_schema is not None
    assert request.data.preview.after == msgspec.to_builtins(request.data.action.args)


async def test_a_refund_batch_moves_money_only_after_it_was_permitted(stage: Stage) -> None:
    sound = next(2 * place + 1 for place in range(6) if not spoiled(place))
    await play(stage, sound)
    requests = await stage.events("review.approval.commands")
    assert requests
    applied = {event.data.approval_id: event for event in await stage.events() if event.name == "decision.applied"}
    transfers = [e for e in await stage.events("run.tool.events") if e.name == "tool.call.completed" and e.data.result]
    assert transfers
    first = min(event.at for event in applied.values())
    assert all(event.at >= first for event in transfers)
    assert len({event.parent_task_id for event in transfers}) == len(requests)


async def test_an_amount_nobody_can_read_fails_with_a_real_traceback_and_becomes_a_dead_letter(stage: Stage) -> None:
    poisoned = next(2 * place + 1 for place in range(6) if spoiled(place))
    (run_id,) = await play(stage, poisoned)
    failed = [e for e in await stage.events() if e.name == "task.failed" and e.agent_group == "validator"]
    (failure,) = failed
    assert "is not a decimal" in failure.data.error.message
    assert "decimal.InvalidOperation" in failure.data.error.stack
    assert failure.run_id == run_id
    letters = [dict(letter.headers) for letter in await stage.records("dlq.run")]
    assert failure.task_id.encode() in {letter["ce_taskid"] for letter in letters}


async def test_attempts_fail_and_are_retried(stage: Stage) -> None:
    await play(stage, 0, 2)
    retried = [event for event in await stage.events() if event.name == "task.attempt.failed"]
    assert retried
    assert {event.data.error.type.rpartition(".")[2] for event in retried} == {"ToolDown"}


async def test_the_director_goes_on_where_the_log_ends(stage: Stage) -> None:
    here = setting()
    assert await started(stage.log, here) == 0
    for number in range(3):
        await start(stage.client, here, number)
    assert await started(stage.log, here) == 3
    assert await started(stage.log, setting(seed=8)) == 0


async def test_the_crew_begins_at_once_and_ends_cleanly(stage: Stage) -> None:
    stop = asyncio.Event()
    manifest, keyring = Manifest(), Keyring.of(DECISION_KEY)
    crew = asyncio.create_task(run_crew(stage.log, stop=stop, rate=4.0, seed=7, manifest=manifest, keyring=keyring))
    await stage.until("run.started", count=AT_ONCE)
    await stage.until("task.started", count=20, timeout=20)
    loop = asyncio.get_running_loop()
    asked = loop.time()
    stop.set()
    await crew
    # The command has five seconds to end in all; the rest of it needs some of them too.
    assert loop.time() - asked < 3.0
    assert len(await stage.until("agent.deregistered", count=len(GROUPS))) == len(GROUPS)


async def test_a_sample_agent_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "log.sqlite3"
    log = SqliteLog(file)
    stage = Stage(log)
    await stage.open()
    command = [sys.executable, "-m", "coordination.samples", "planner", "--log", f"sqlite://{file}"]
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen([*command, "--instance", "planner-7"], stdout=out, stderr=out)
    try:
        await stage.client.request("run-1", "triage", "planner", input={"number": 1, "service": "cart"})
        (completed,) = await stage.until("task.completed", timeout=60, every=0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()
    assert completed.agent_id == "planner-7"
    assert process.returncode == 0
    await log.close()
