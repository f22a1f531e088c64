"""One of everything, on every log: memory, SQLite file, HTTP, Kafka."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from coordination.eventlog import EventLog
from coordination.manifest import Manifest
from coordination.sqlitelog import SqliteLog
from tests.coordination.adapters import Adapter
from tests.coordination.agent.settling import Bank, payer, reviewer, worker
from tests.coordination.agent.stage import Stage


@pytest.fixture
async def logs(adapter: Adapter, request: pytest.FixtureRequest) -> AsyncIterator[tuple[EventLog, EventLog]]:
    """The log as agents see it, and as those see it who may do everything: over HTTP that is not the same."""
    log = await adapter.open()
    file = request.getfixturevalue("log_server").file if adapter.name == "http" else None
    whole = SqliteLog(file) if file is not None else log
    yield log, whole
    await log.close()
    if whole is not log:
        await whole.close()


async def test_a_run_with_one_of_everything_ends_the_same_on_any_log(
    logs: tuple[EventLog, EventLog], namespace: str
) -> None:
    log, whole = logs
    stage = Stage(whole, Manifest(namespace))
    await stage.open()
    bank = Bank()
    # Two instances of each group: work, decisions and joins are spread over them.
    for number in (1, 2):
        stage.start(payer(stage, bank, 45.0), f"payer-{number}", log=log)
        stage.start(worker(stage), f"worker-{number}", log=log)
    # Who loses a partition may repeat an effect: not here, however busy the machine is.
    for group in ("payer", "worker"):
        await stage.staffed(group, 2)
    stop = asyncio.Event()
    reviewing = asyncio.create_task(reviewer(stage, stop))
    for number in range(4):
        await stage.client.start_run(f"run-{number}", "settle", "payer", name="Settle")
    completed = await stage.until("run.completed", count=4, timeout=120, every=0.3)
    stop.set()
    await reviewing
    await stage.close()
    for event in completed:
        assert event.data.output == {"matched": [0, 2, 4], "single": 18, "decision": "approve"}
    said = Counter(event.name for event in await stage.events("run.workflow.events"))
    assert set(said.values()) == {4}
    assert set(bank.told.values()) == {1}
    assert len(bank.told) == 8
    assert await stage.anomalies() == []
