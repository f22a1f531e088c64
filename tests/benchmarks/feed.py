"""Load for a running installation, appended as agents of another process would, and probes among it."""

import asyncio
import threading
import time
from typing import Final

from coordination.encoding import new_event
from coordination.eventlog import EventLog, NewRecord
from coordination.ids import new_id
from tests.benchmarks.workload import Workload
from tests.installation import Installation

PROBES_A_SECOND: Final = 2.0
PROBES_A_RUN: Final = 40
TICK: Final = 0.02


def probe(run_id: str) -> NewRecord:
    """One more task of a run."""
    at = time.time_ns() // 1000
    about = {"run_id": run_id, "task_id": f"t{at}", "target_group": "bench"}
    return new_event("task.requested", source="/bench", time=at, id=new_id(at), data={"task_type": "probe"}, **about)


class Feed:
    """Appends load at a rate from a thread of its own, and probes for the run that is looked at.

    `run_id` is that run, `appended` notes when each of its probes was about to be appended (ms since 1970).
    """

    def __init__(self, installation: Installation, rate: float) -> None:
        self.run_id = ""
        self.appended: list[float] = []
        self._installation, self._rate = installation, rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> "Feed":
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        self._thread.join()

    async def _run(self) -> None:
        log, load = self._installation.open_log(), Workload(tasks=100, live_runs=20)
        began, sent, turn = time.monotonic(), 0, 0
        while not self._stop.is_set():
            passed = time.monotonic() - began
            due = int(self._rate * passed) - sent
            await log.append(load.records(due))
            sent += due
            if passed * PROBES_A_SECOND > turn:
                turn = int(passed * PROBES_A_SECOND) + 1
                await self._probe(log)
            await asyncio.sleep(TICK)
        await log.close()

    async def _probe(self, log: EventLog) -> None:
        if self.run_id and len(self.appended) < PROBES_A_RUN:
            record = probe(self.run_id)
            self.appended.append(time.time() * 1_000)
            await log.append([record])
