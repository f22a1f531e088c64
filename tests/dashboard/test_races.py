"""People against timer, withdrawal and new version: one outcome, the same in tables, outbox, audit trail and topics."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATES = {
    "approve won": ("granted", "approval.granted", 1),
    "reject won": ("denied", "approval.denied", 1),
    "expire won": ("expired", "approval.expired", 1),
    "withdraw won": ("withdrawn", "approval.withdrawn", 0),
}


def races(environment: dict[str, str], count: int) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.dashboard.races", str(count), "7"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=3_000,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(outcomes: list[dict[str, Any]], count: int) -> None:
    assert len(outcomes) == count
    winners = set()
    for line in outcomes:
        won = [said for said in line["said"] if said in STATES]
        replaced = "asked again" in line["said"]
        assert len(won) <= 1, line
        assert won or replaced, line
        assert len(line["facts"]) == len(line["audit"]) == len(won), line
        winners.add(won[0] if won else "nobody")
        if won:
            state, fact, commands = STATES[won[0]]
            assert (line["facts"], line["commands"]) == ([fact], commands), line
            assert line["topic"] == [fact, *["task.resume.requested"] * commands], line
            assert replaced or line["state"] == state, line
        if replaced:
            assert (line["version"], line["state"]) in ((2, "pending"), (2, "withdrawn")), line
    assert {"approve won", "expire won"} <= winners


def test_fifty_races_on_sqlite(tmp_path: Path) -> None:
    check(races({"LINESIDE_STATE": str(tmp_path)}, 50), 50)


def test_five_hundred_races_on_postgresql(tmp_path: Path, database_url: str) -> None:
    check(races({"LINESIDE_STATE": str(tmp_path), "LINESIDE_DATABASE_URL": database_url}, 500), 500)


@pytest.mark.long
@pytest.mark.timeout(3_100)
def test_ten_thousand_races_on_postgresql(tmp_path: Path, database_url: str) -> None:
    check(races({"LINESIDE_STATE": str(tmp_path), "LINESIDE_DATABASE_URL": database_url}, 10_000), 10_000)


@pytest.mark.long
@pytest.mark.timeout(3_100)
def test_two_thousand_races_on_sqlite(tmp_path: Path) -> None:
    check(races({"LINESIDE_STATE": str(tmp_path)}, 2_000), 2_000)
