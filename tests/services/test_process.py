"""Servers of the tests: how they start, and that they never outlive us."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.services.ports import RANGE, free_port
from tests.services.process import ServerProcess, children_of

SLEEP = ["sleep", "600"]


def ended(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def within(seconds: float, pid: int) -> bool:
    limit = time.monotonic() + seconds
    while not ended(pid):
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def test_a_server_ends_when_its_tests_are_killed(tmp_path: Path) -> None:
    script = (
        "import os, signal; from pathlib import Path; from tests.services.process import ServerProcess\n"
        f"server = ServerProcess({SLEEP!r}, Path({str(tmp_path / 'log')!r})); server.start()\n"
        "print(server.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert within(5, int(done.stdout))


def test_a_server_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    server = ServerProcess(SLEEP, tmp_path / "log")
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    assert not within(0.3, server.pid)
    server.stop()


def test_a_server_that_ends_early_is_reported_with_its_log(tmp_path: Path) -> None:
    server = ServerProcess(["sh", "-c", "echo no such port; exit 1"], tmp_path / "log")
    server.start()
    with pytest.raises(RuntimeError, match=r"ended before it was ready(.|\n)*no such port"):
        server.wait_until(lambda: False, 5)
    server.stop()


def test_a_server_that_is_never_ready_is_reported(tmp_path: Path) -> None:
    server = ServerProcess(SLEEP, tmp_path / "log")
    server.start()
    with pytest.raises(RuntimeError, match=r"was not ready after 0\.1 s"):
        server.wait_until(lambda: False, 0.1)
    server.kill()


def test_kill_ends_the_children_too(tmp_path: Path) -> None:
    server = ServerProcess(["sh", "-c", "sleep 600 & sleep 600 & wait"], tmp_path / "log")
    server.start()
    server.wait_until(lambda: len(children_of(server.pid)) == 2, 5)
    family = [server.pid, *children_of(server.pid)]
    server.kill()
    assert all(ended(pid) for pid in family)


def test_a_paused_server_can_be_stopped(tmp_path: Path) -> None:
    server = ServerProcess(SLEEP, tmp_path / "log")
    server.start()
    server.pause()
    started = time.monotonic()
    server.stop(seconds=20)
    assert time.monotonic() - started < 10


def test_a_server_that_does_not_obey_is_killed(tmp_path: Path) -> None:
    server = ServerProcess(["sh", "-c", "trap '' TERM; echo deaf; sleep 600"], tmp_path / "log")
    server.start()
    server.wait_until(lambda: server.logged("deaf"), 5)
    pid = server.pid
    server.stop(seconds=0.2)
    assert ended(pid)


def test_logged_looks_at_the_latest_start_only(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("ready\n")
    server = ServerProcess(SLEEP, log)
    server.start()
    assert not server.logged("ready")
    server.stop()


def test_ports_are_outside_the_range_of_outgoing_connections() -> None:
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(RANGE) < lowest_outgoing


def test_a_port_is_given_once() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
