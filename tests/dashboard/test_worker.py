"""`manage.py worker` as a process: drains with exit code 0, ends on SIGTERM, says why it cannot."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from coordination.manifest import Manifest
from coordination.sqlitelog import SqliteLog
from tests.benchmarks.workload import Workload

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """A state folder with tables and a log of 500 events."""
    environment = os.environ | {"LINESIDE_STATE": str(tmp_path), "LINESIDE_DATABASE_URL": "", "LINESIDE_LOG": ""}
    migrate = [sys.executable, "manage.py", "migrate", "--skip-checks", "-v0"]
    subprocess.run(migrate, cwd=ROOT, env=environment, check=True)

    async def fill() -> None:
        log = SqliteLog(tmp_path / "log.sqlite3")
        await log.create_topics(Manifest().specs())
        await log.append(Workload(tasks=10, live_runs=2).records(500))
        await log.close()

    asyncio.run(fill())
    return environment


def worker(environment: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "manage.py", "worker", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def test_draining_ends_with_exit_code_0(environment):
    running = worker(environment, "--roles", "ingest", "--drain")
    errors = running.communicate(timeout=60)[1]
    assert running.returncode == 0, errors


def test_two_workers_drain_together(environment):
    both = [worker(environment, "--roles", "ingest", "--drain") for _ in range(2)]
    for running in both:
        errors = running.communicate(timeout=60)[1]
        assert running.returncode == 0, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_roles_in_order(environment, number):
    running = worker(environment)
    assert running.stderr
    while "holds" not in running.stderr.readline():
        assert running.poll() is None
    time.sleep(0.5)
    running.send_signal(number)
    began = time.monotonic()
    errors = running.communicate(timeout=30)[1]
    assert running.returncode == 0, errors
    assert "Traceback" not in errors
    assert time.monotonic() - began < 15


def test_an_unknown_role_is_refused():
    with pytest.raises(CommandError, match="no role cook"):
        call_command("worker", roles="cook")
