"""What a real broker refuses says why, and everything else goes on."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from coordination.eventlog import EventLog
from coordination.kafkalog import open_kafkalog
from coordination.manifest import Manifest
from dashboard import approvals
from dashboard.databasethread import DatabaseThread
from dashboard.models import Decision
from dashboard.relay import Limits
from tests.dashboard.cast import ask, person
from tests.dashboard.relaying import HASH, decided, on_log, relaying, release, settled, tables, until
from tests.services.kafka import KafkaBroker

pytestmark = pytest.mark.django_db(transaction=True)
LIMITS = Limits(look_every=0.05, reconsider=60)


@pytest.fixture(autouse=True)
def _installation(settings: Any, tmp_path: Path, namespace: str) -> None:
    settings.LINESIDE_STATE, settings.LINESIDE_NAMESPACE = tmp_path, namespace


@pytest.fixture
async def log(kafka: KafkaBroker) -> AsyncIterator[EventLog]:
    opened = open_kafkalog(f"kafka://{kafka.bootstrap}")
    yield opened
    await opened.close()


@pytest.fixture
async def db() -> AsyncIterator[DatabaseThread]:
    async with tables() as thread:
        yield thread


def decide_with_a_long_comment() -> str:
    ask("long", task="task-0")
    user = person("bo")
    saved = approvals.decide(
        approval_id="long",
        user=user,
        decision="approve",
        request_version=1,
        content_hash=HASH,
        comment="because " * 3_000,
    )
    return saved.decision_id


async def test_a_record_over_the_topics_limit_is_named_and_all_others_are_sent(
    log: EventLog, db: DatabaseThread, namespace: str
) -> None:
    commands = f"{namespace}.run.decision.commands"
    for spec in Manifest(namespace).specs():
        spec.config["max.message.bytes"] = "9000" if spec.name == commands else "1048576"
        await log.create_topics([spec])
    ids = await db.run(decided, 4, tasks=1)
    too_long = await db.run(decide_with_a_long_comment)
    ids += await db.run(decided, 4, tasks=1, first=4)
    await db.run(release)
    async with relaying(log, limits=LIMITS):
        await until(db, settled, 60)
    row = await db.run(lambda: Decision.objects.get(state="undeliverable"))
    assert row.decision_id == too_long
    assert "max.message.bytes" in row.error
    assert [event.data.decision_id for event in await on_log(log, commands)] == ids
    facts = await on_log(log, f"{namespace}.review.approval.events")
    assert [event.data.decision_id for event in facts if event.name == "approval.granted"] == ids


async def test_a_topic_that_is_missing_is_named(log: EventLog, db: DatabaseThread, namespace: str) -> None:
    commands = f"{namespace}.run.decision.commands"
    await log.create_topics([spec for spec in Manifest(namespace).specs() if spec.name != commands])
    await db.run(decided, 2)
    await db.run(release)
    async with relaying(log, limits=LIMITS):
        await until(db, settled, 60)
    errors = await db.run(lambda: list(Decision.objects.values_list("state", "error")))
    assert {state for state, _ in errors} == {"undeliverable"}
    assert all(commands in error for _, error in errors)
    assert await on_log(log, f"{namespace}.review.approval.events") == []
