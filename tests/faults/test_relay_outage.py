"""The broker goes away and comes back: every decision is saved at once, and all are published in order after it."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from coordination.eventlog import EventLog
from coordination.kafkalog import open_kafkalog
from coordination.manifest import Manifest
from dashboard.clock import database_now
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


def decided_for(seconds: float, count: int, first: int) -> tuple[list[str], float]:
    """So many decisions, every tenth valid for so many seconds only; returns their ids and the longest took."""
    ids, longest = [], 0.0
    for number in range(first, first + count):
        policy = {"validity_ms": int(seconds * 1000)} if number % 10 == 0 else {}
        began = time.monotonic()
        ids += decided(1, tasks=TASKS, first=number, policy=policy)
        longest = max(longest, time.monotonic() - began)
    return ids, longest


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(15, marks=pytest.mark.timeout(280)),
        pytest.param(60, marks=(pytest.mark.long, pytest.mark.timeout(600))),
        pytest.param(600, marks=(pytest.mark.long, pytest.mark.timeout(1_500))),
    ],
)
async def test_five_hundred_decisions_while_kafka_is_stopped_are_saved_at_once_and_late_ones_are_not_sent(
    kafka: KafkaBroker, log: EventLog, db: DatabaseThread, namespace: str, seconds: float
) -> None:
    limits = Limits(look_every=0.05, opening=4, asking=4, sending=4, reading=6, closing=1)
    async with relaying(log, limits=limits):
        await asyncio.to_thread(kafka.kill)
        stopped = time.monotonic()
        ids, longest = await db.run(decided_for, seconds / 2, 500, 0)
        await db.run(release)
        await asyncio.sleep(max(0.0, stopped + seconds - time.monotonic()))
        await db.run(lambda: until_late(seconds / 2))
        await asyncio.to_thread(kafka.revive)
        back = time.monotonic()
        await until(db, settled, 120)
        after = time.monotonic() - back
        sys.stdout.write(f"500 saved, longest {longest * 1000:.0f} ms; all settled {after:.1f} s after its return\n")
    states = await db.run(lambda: dict(Decision.objects.filter(kind="decision").values_list("decision_id", "state")))
    late = [one for number, one in enumerate(ids) if number % 10 == 0]
    assert {states[one] for one in late} == {"late"}
    assert {states[one] for one in set(ids) - set(late)} == {"published"}
    commands = await on_log(log, f"{namespace}.run.decision.commands")
    for number in range(TASKS):
        sent = [event.data.decision_id for event in commands if event.task_id == f"task-{number}"]
        assert sent == [one for place, one in enumerate(ids) if place % TASKS == number and place % 10]


def until_late(seconds: float) -> None:
    """Wait until what was valid so long has run out for all of them."""
    last = Decision.objects.filter(kind="decision").order_by("-saved_at").values_list("saved_at", flat=True).first()
    time.sleep(max(0.0, ((last or 0) - database_now()) / 1e6 + seconds + 0.1))
