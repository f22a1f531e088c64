"""A redrive whose worker and agents are killed puts each letter back once and follows each to its result."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.services.kafka import KafkaBroker

ROOT = Path(__file__).resolve().parents[2]


def redriven(folder: Path, kafka: KafkaBroker, namespace: str, tasks: int, kills: int) -> dict[str, Any]:
    """Run the program; returns what it counted in the end."""
    environment = {
        "LINESIDE_STATE": str(folder),
        "LINESIDE_LOG": f"kafka://{kafka.bootstrap}",
        "LINESIDE_NAMESPACE": namespace,
    }
    command = [sys.executable, "-m", "tests.faults.redriveprocess", str(tasks), str(kills)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=1500
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == kills + 1
    print(done.stdout)
    last: dict[str, Any] = lines[-1]
    return last


def check(told: dict[str, Any], tasks: int) -> None:
    assert told["ordered"] == told["placed"] == told["back"] == told["distinct"] == tasks
    assert told["states"] == {"done": tasks}


def test_two_hundred_letters_and_two_kills(tmp_path: Path, kafka: KafkaBroker, namespace: str) -> None:
    check(redriven(tmp_path, kafka, namespace, 200, 2), 200)


@pytest.mark.long
def test_five_thousand_letters_and_two_kills(tmp_path: Path, kafka: KafkaBroker, namespace: str) -> None:
    check(redriven(tmp_path, kafka, namespace, 5_000, 2), 5_000)
