"""The work that all peers are given, and a server process to give it to. Standard library alone: each peer runs this in
an environment of its own.

Work is runs of tasks; a task has a start, a model call, a tool call and an end; every thirtieth fails.
"""

import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STAGES = ("plan", "research", "write", "review")
STEP = 250_000_000
FAILING = 30


@dataclass(frozen=True)
class Task:
    """One task; instants in ns."""

    number: int
    name: str
    started: int
    ended: int
    failed: bool


def runs(count: int, tasks: int) -> Iterator[list[Task]]:
    """So many runs of so many tasks each, all of them recent."""
    now = time.time_ns() - 3600 * 1_000_000_000
    for run in range(count):
        begun = now + run * STEP
        yield [
            Task(n, STAGES[n * len(STAGES) // tasks], begun + n * STEP, begun + (n + 4) * STEP, n % FAILING == 7)
            for n in range(tasks)
        ]


class Server:
    """A server of a peer, in a folder of its own; `cpu` is what it and its children took so far (s)."""

    def __init__(self, command: Sequence[str], ready: str, environment: Mapping[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lineside-peer-"))
        filled = [part.replace("FOLDER", str(self.folder)) for part in command]
        given = {name: value.replace("FOLDER", str(self.folder)) for name, value in (environment or {}).items()}
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                filled, cwd=self.folder, env=os.environ | given, stdout=log, stderr=log, start_new_session=True
            )
        if not until(lambda: answers(ready), 180):
            words = (self.folder / "log").read_text(errors="replace")[-2000:]
            self.stop()
            raise TimeoutError(f"{command[0]} does not answer at {ready}\n{words}")

    def cpu(self) -> float:
        """Processor seconds of the whole family."""
        return cpu_of(self._process.pid)

    def stop(self) -> None:
        """End it and its children."""
        family = [self._process.pid, *_children(self._process.pid)]
        for pid in reversed(family):
            os.kill(pid, 9)
        self._process.wait()


def cpu_of(pid: int) -> float:
    """Processor seconds of a process and its children."""
    ticks = 0
    for one in [pid, *_children(pid)]:
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(stat.parent.name)
            found += [child, *_children(child)]
    return found


def ask(url: str, body: Any = None) -> Any:
    """The JSON answer to a GET, or to a POST of JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def answers(url: str) -> bool:
    """Whether anything answers there."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def until(happened: Callable[[], bool], seconds: float) -> bool:
    """Wait for something; whether it happened in time."""
    limit = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


def measure(server: Server, tasks: int, feed: Callable[[], Any], seen: Callable[[], int], patience: float) -> None:
    """Feed, wait until all tasks can be asked for, and print figures as one line of JSON."""
    cpu, began = server.cpu(), time.perf_counter()
    feed()
    accepted = time.perf_counter() - began
    whole = until(lambda: seen() >= tasks, patience)
    took, used = time.perf_counter() - began, server.cpu() - cpu
    held = tasks if whole else seen()
    told = {
        "tasks/s": held / took,
        "accepted/s": tasks / accepted,
        "held": held / tasks,
        "server CPU ms": used / tasks * 1000,
    }
    print(json.dumps(told), flush=True)
