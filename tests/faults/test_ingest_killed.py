"""A worker that is killed in the midst of a batch, wherever, leaves every event in the tables exactly once."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.ingestprocess import STAGES
from tests.services.kafka import KafkaBroker

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240.0
EVENTS = 12_000
# Each stage in the first batch and in a later one, and some deaths in the midst of what the database does.
DEATHS = (*(f"{stage}=1" for stage in STAGES), *(f"{stage}=2" for stage in ("enter_keys", "save", "advance")))
MIDST = ("save=4+1", "save=5+2", "settle=1+1", "settle=1+3", "advance=2+1")


def killed(environment: dict[str, str], deaths: tuple[str, ...]) -> dict[str, object]:
    """Run the program; returns its comparison of tables and log."""
    command = [sys.executable, "-m", "tests.faults.ingestprocess", str(EVENTS), *deaths]
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = running.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        output, errors = running.communicate()
    assert running.returncode == 0, output[-2000:] + errors[-6000:]
    lines = [json.loads(line) for line in output.splitlines()]
    assert sum("death" in line for line in lines) == len(deaths)
    return lines[-1]


def assert_everything_once(told: dict[str, object]) -> None:
    figures = {name: told[name] for name in ("records", "places", "read", "ends", "positions", "events_of_runs")}
    assert figures == dict.fromkeys(figures, EVENTS)
    assert told["as_one_fold"]


@pytest.mark.parametrize("deaths", [DEATHS, MIDST], ids=["at each stage", "in the midst"])
def test_killed_on_sqlite_and_the_embedded_log(deaths, tmp_path):
    environment = {"LINESIDE_STATE": str(tmp_path), "LINESIDE_DATABASE_URL": "", "LINESIDE_LOG": ""}
    assert_everything_once(killed(environment, deaths))


@pytest.mark.parametrize("deaths", [DEATHS[: len(STAGES)], MIDST], ids=["at each stage", "in the midst"])
def test_killed_on_postgresql_and_kafka(deaths, tmp_path, database_url, kafka: KafkaBroker, namespace):
    environment = {
        "LINESIDE_STATE": str(tmp_path),
        "LINESIDE_DATABASE_URL": database_url,
        "LINESIDE_LOG": f"kafka://{kafka.bootstrap}",
        "LINESIDE_NAMESPACE": namespace,
    }
    assert_everything_once(killed(environment, deaths))
