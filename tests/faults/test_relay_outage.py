"""The broker goes away and comes back: every decision is saved at once, and all are published in order after it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from coordination.eventlog import EventLog
from coordination.kafkalog import open_kafkalog
from coordination.manifest import Manifest
from dashboard.databasethread import DatabaseThread
from dashboard.models import Decision
from dashboard.relay import Limits
from tests.dashboard.relaying import decided, on_log, relaying, release, settled, tables, until
from tests.services.kafka import KafkaBroker

pytestmark = pytest.mark.django_db(transaction=True)
TASKS = 5


@pytest.fixture(autouse=True)
def _installation(settings: Any, tmp_path: Path, namespace: str) -> None:
    settings.LINESIDE_STATE, settings.LINESIDE_NAMESPACE = tmp_path, namespace


@pytest.fixture
async def log(kafka: KafkaBroker, namespace: str) -> AsyncIterator[EventLog]:
    opened = open_kafkalog(f"kafka://{kafka.bootstrap}?timeout=3")
    await opened.create_topics(Manifest(namespace).specs())
    yield opened
    await opened.close()


@pytest.fixture
async def db() -> AsyncIterator[DatabaseThread]:
    async with tables() as thread:
        yield thread


async def check(log: EventLog, namespace: str, ids: list[str]) -> None:
    commands = await on_log(log, f"{namespace}.run.decision.commands")
    facts = await on_log(log, f"{namespace}.review.approval.events")
    granted = [event.data.decision_id for event in facts if event.name == "approval.granted"]
    assert sorted(granted) == sorted(ids)
    for number in range(TASKS):
        sent = [event.data.decision_id for event in commands if event.task_id == f"task-{number}"]
        assert sent == ids[number::TASKS]


@pytest.mark.parametrize("outage", ["killed", pytest.param("paused", marks=pytest.mark.long)])
async def test_what_is_decided_while_the_broker_is_away_goes_out_in_order_when_it_is_back(
    kafka: KafkaBroker, log: EventLog, db: DatabaseThread, namespace: str, outage: str
) -> None:
    limits = Limits(look_every=0.05, opening=4, asking=4, sending=4, reading=6, closing=1)
    async with relaying(log, limits=limits):
        ids = await db.run(decided, 10, tasks=TASKS)
        await db.run(release)
        await until(db, settled)
        await asyncio.to_thread(kafka.kill if outage == "killed" else kafka.pause)
        began = time.monotonic()
        ids += await db.run(decided, 20, tasks=TASKS, first=10)
        assert time.monotonic() - began < 10  # twenty decisions; none of them waited for the broker
        await db.run(release)
        await until(db, lambda: Decision.objects.filter(error__startswith="Kafka unreachable since").count() == 20)
        await asyncio.to_thread(kafka.revive)
        await until(db, settled, 60)
    assert await db.run(lambda: set(Decision.objects.values_list("state", "error"))) == {("published", "")}
    await check(log, namespace, ids)
