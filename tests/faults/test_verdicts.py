"""What is wrong with a group is told rightly and in time, and healthy thinking is never called wrong: with real agents,
killed and misled, on a real Kafka. Burrow's rules judge the same scenarios, for comparison."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.lag.burrow import ERRORS
from tests.lag.scenarios import SCENARIOS, Scenario
from tests.services.kafka import KafkaBroker

ROOT = Path(__file__).resolve().parents[2]
SHORT, FEW, TWENTY = 1 / 8, 4, 20
SLACK = 12.0
"""Seconds that do not scale: a session time-out, a poll, reading the log on a busy machine."""


def judged(folder: Path, kafka: KafkaBroker, namespace: str, scale: float, tasks: int) -> dict[str, Any]:
    """Run all scenarios; returns what was said of each."""
    environment = {
        "LINESIDE_STATE": str(folder),
        "LINESIDE_LOG": f"kafka://{kafka.bootstrap}",
        "LINESIDE_NAMESPACE": namespace,
    }
    command = [sys.executable, "-m", "tests.lag.judging", str(scale), str(tasks)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    return {told["group"]: told for told in map(json.loads, done.stdout.splitlines())}


def shares(found: Mapping[str, float]) -> str:
    """Words with the share of polls that they were said at."""
    return ", ".join(f"{word} {share:.0%}" for word, share in sorted(found.items(), key=lambda one: -one[1]))


def table(told: Mapping[str, Any], scale: float) -> str:
    """Both verdicts side by side; times as people know the scenarios."""
    lines = [f"{'scenario':45}{'right':24}{'told':28}{'said of it':44}Burrow"]
    for one in SCENARIOS:
        found = told[one.group]
        alarm, error = found["alarm"], found["error_after"]
        ours = f"{alarm[0]} after {alarm[1] / scale:.0f} s" if alarm else "no alarm"
        theirs = "" if error is None else f"; first error after {error / scale:.0f} s"
        right = " or ".join(one.right) or "no alarm"
        lines.append(f"{one.what:45}{right:24}{ours:28}{shares(found['ours']):44}{shares(found['burrow'])}{theirs}")
    return "\n".join(lines)


def check(told: Mapping[str, Any], scale: float) -> None:
    print("\n" + table(told, scale))
    bad = [f"{one.what}: {told[one.group]['words']}" for one in SCENARIOS if not well(one, told[one.group], scale)]
    assert not bad, "\n".join(bad)


def well(scenario: Scenario, found: Mapping[str, Any], scale: float) -> bool:
    """Whether it was judged rightly."""
    if not scenario.right:
        return not found["alarms"]
    return bool(found["alarm"]) and found["alarm"][1] <= scenario.within * scale + SLACK


# Verdicts are about seconds: where other checks take the processor, silence is starvation and says nothing of us. The
# rules themselves are tables in tests/coordination/test_verdict.py.
@pytest.mark.long
@pytest.mark.timeout(600)
def test_each_trouble_gets_its_verdict_within_its_limit_and_healthy_thinking_none(
    tmp_path: Path, kafka: KafkaBroker, namespace: str
) -> None:
    told = judged(tmp_path, kafka, namespace, SHORT, FEW)
    check(told, SHORT)
    # What the commit's cadence alone would have said.
    assert all(any(word in told[name]["burrow"] for word in ERRORS) for name in ("thinking", "deep"))
    assert told["missing"]["burrow"].keys() == {"NOTFOUND"}


@pytest.mark.long
@pytest.mark.timeout(6000)
def test_the_same_at_their_true_speed(tmp_path: Path, kafka: KafkaBroker, namespace: str) -> None:
    check(judged(tmp_path, kafka, namespace, 1.0, TWENTY), 1.0)
