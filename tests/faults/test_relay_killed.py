"""A relay that is killed at any of its steps loses no decision and doubles none, on every log."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from coordination.event import Event
from coordination.eventlog import EventLog
from coordination.kafkalog import open_kafkalog
from coordination.sqlitelog import SqliteLog
from dashboard.relay import STAGES
from tests.dashboard.relaying import on_log
from tests.services.kafka import KafkaBroker

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240.0
# Sessions that recover come after deaths that left something to recover; a delay hits the midst of a transaction.
DEATHS = (
    *("opened=1", "chosen=1", "ended=2", "tried=1", "measured=1", "sending=2", "read back=1", "sent=1", "recovered=1"),
    *("sending=1+1", "sending=2+3", "sending=1+6", "sent=2", "verified=2", "marked=1", "told=2"),
)


def killed(environment: dict[str, str], count: int, deaths: Sequence[str], tasks: int = 11) -> list[dict[str, Any]]:
    """Run the program; returns what it says of each decision."""
    return ended(start(environment, count, deaths, tasks), deaths)


def start(environment: dict[str, str], count: int, deaths: Sequence[str], tasks: int) -> subprocess.Popen[str]:
    """Start the program."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.relayprocess", str(count), str(tasks), *deaths],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(running: subprocess.Popen[str], deaths: Sequence[str]) -> list[dict[str, Any]]:
    """Wait for the program; returns what it says of each decision."""
    try:
        output, errors = running.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        # Sleepers, too: nobody else would ever wake them.
        os.killpg(running.pid, signal.SIGKILL)
        output, errors = running.communicate()
    assert running.returncode == 0, output[-2000:] + errors[-6000:]
    lines = [json.loads(line) for line in output.splitlines()]
    assert sum("death" in line for line in lines) == sum("=" in death for death in deaths)
    return [line for line in lines if "decision_id" in line]


async def check(log: EventLog, namespace: str, told: list[dict[str, Any]], count: int) -> None:
    """Every decision is one fact and one command, in order per task, and its receipt says where."""
    facts = await on_log(log, f"{namespace}.review.approval.events")
    commands = await on_log(log, f"{namespace}.run.decision.commands")
    ids = [line["decision_id"] for line in told]
    assert len(ids) == count
    granted = [event.data.decision_id for event in facts if event.name == "approval.granted"]
    assert Counter(granted) == Counter(ids)
    assert Counter(event.data.decision_id for event in commands) == Counter(ids)
    votes = [event.data.vote_id for event in facts if event.name == "approval.vote.recorded"]
    assert len(votes) == len(set(votes)) == count
    assert {line["state"] for line in told} == {"published"}
    _check_order(commands, told)
    _check_receipts([*facts, *commands], told)


def _check_order(commands: list[Event], told: list[dict[str, Any]]) -> None:
    for task in {line["task"] for line in told}:
        saved = [line["decision_id"] for line in told if line["task"] == task]
        assert [event.data.decision_id for event in commands if event.task_id == task] == saved


def _check_receipts(events: list[Event], told: list[dict[str, Any]]) -> None:
    there = {(event.topic, event.partition, event.offset): event for event in events}
    for line in told:
        _, fact, command = (there[topic, partition, offset] for topic, partition, offset, _ in line["positions"])
        assert fact.data.decision_id == command.data.decision_id == line["decision_id"]


def test_every_stage_is_among_the_deaths() -> None:
    assert {death.partition("=")[0] for death in DEATHS} == set(STAGES)


async def on_sqlite(folder: Path, count: int, deaths: Sequence[str], tasks: int = 11) -> None:
    told = killed({"LINESIDE_STATE": str(folder)}, count, deaths, tasks)
    log = SqliteLog(folder / "log.sqlite3")
    await check(log, "coord", told, count)
    await log.close()


async def on_kafka(
    folder: Path, kafka: KafkaBroker, database: str, namespace: str, count: int, deaths: Sequence[str], tasks: int = 11
) -> None:
    url = f"kafka://{kafka.bootstrap}"
    environment = {
        "LINESIDE_STATE": str(folder),
        "LINESIDE_LOG": url,
        "LINESIDE_NAMESPACE": namespace,
        "LINESIDE_DATABASE_URL": database,
    }
    told = killed(environment, count, deaths, tasks)
    log = open_kafkalog(url)
    await check(log, namespace, told, count)
    await log.close()


async def test_killed_at_every_stage_on_the_sqlite_log(tmp_path: Path) -> None:
    await on_sqlite(tmp_path, 100, DEATHS)


async def test_killed_at_every_stage_on_kafka_and_postgresql(
    tmp_path: Path, kafka: KafkaBroker, database_url: str, namespace: str
) -> None:
    await on_kafka(tmp_path, kafka, database_url, namespace, 100, DEATHS)


# One task, so that nothing else is under way in a process that falls asleep: on SQLite a sleeper in the midst of a
# database transaction would lock the tables for everybody.
SLEEPS = ("tried=1~", "sending=1~", "sent=1~", "verified=1~")


async def test_relays_that_sleep_past_their_leases_write_nothing_to_the_sqlite_log(tmp_path: Path) -> None:
    await on_sqlite(tmp_path, 40, SLEEPS, tasks=1)


async def test_relays_that_sleep_past_their_leases_write_nothing_to_kafka(
    tmp_path: Path, kafka: KafkaBroker, database_url: str, namespace: str
) -> None:
    await on_kafka(tmp_path, kafka, database_url, namespace, 40, SLEEPS, tasks=1)


@pytest.mark.long
async def test_a_thousand_decisions_on_the_sqlite_log(tmp_path: Path) -> None:
    await on_sqlite(tmp_path, 1_000, DEATHS * 3)


@pytest.mark.long
async def test_a_thousand_decisions_on_kafka_and_postgresql(
    tmp_path: Path, kafka: KafkaBroker, database_url: str, namespace: str
) -> None:
    await on_kafka(tmp_path, kafka, database_url, namespace, 1_000, DEATHS * 3)
