"""Lineside: the same tasks as events on Kafka, two workers on PostgreSQL, until the API has counted them all.

python -m tests.benchmarks.peers.ours RUNS TASKS KAFKA DATABASE_URL
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from coordination.encoding import new_event
from coordination.eventlog import NewRecord
from coordination.ids import new_id
from coordination.manifest import Manifest
from tests.benchmarks.peers.work import Task, runs, until
from tests.benchmarks.peers.work import cpu_of as cpu
from tests.installation import Installation

NAMESPACE = "peers"
CHUNK = 5_000


def records(count: int, tasks: int, manifest: Manifest) -> list[NewRecord]:
    """Six events a task, and one at each end of a run."""
    made: list[NewRecord] = []
    for number, run in enumerate(runs(count, tasks)):

        def say(name: str, at: int, task: Task | None = None, number: int = number, **given: object) -> None:
            about = {} if task is None else {"task_id": f"{number}-{task.number}"}
            place = {"source": "/bench", "time": at // 1000, "id": new_id(at // 1000), "run_id": f"run-{number}"}
            made.append(new_event(name, manifest=manifest, **place, **about, **given))  # type: ignore[arg-type]

        say("run.started", run[0].started, data={"name": f"run {number}", "workflow": "bench"})
        for task in run:
            wanted = {"task_type": task.name, "title": f"{task.name} {task.number}"}
            say("task.requested", task.started, task, data=wanted, target_group=task.name)
            say("task.started", task.started, task, agent_group=task.name)
            call = {"model": "large-1", "tokens_in": 900, "tokens_out": 120, "duration_ms": 812}
            say("model.call.completed", task.started, task, data=call)
            tool = {"tool_call_id": f"{number}-{task.number}", "tool_name": "search"}
            say("tool.call.started", task.started, task, data=tool)
            say("tool.call.completed", task.ended, task, data={**tool, "duration_ms": 95})
            if task.failed:
                error = {"type": "ValueError", "message": f"row {task.number} is empty"}
                say("task.failed", task.ended, task, data={"error": error})
            else:
                say("task.completed", task.ended, task)
        say("run.completed", run[-1].ended)
    return made


def main(count: int, tasks: int, kafka: str, database: str) -> None:
    """Start workers and web, append, and wait until the API tells of every task."""
    with tempfile.TemporaryDirectory() as folder:
        log = f"kafka://{kafka}"
        with Installation(Path(folder), log=log, database=database, namespace=NAMESPACE) as here:
            here.prepare()
            workers = [here.worker(f"worker-{number}", "--roles", "ingest") for number in range(2)]
            site = here.serve()
            api = here.api(site)
            until(lambda: all(one.logged("its shards") for one in workers), 60)
            made = records(count, tasks, here.manifest)
            pids = [*(one.pid for one in workers), site.process.pid]
            used, began = sum(map(cpu, pids)), time.perf_counter()
            asyncio.run(_append(here, made))
            accepted, total = time.perf_counter() - began, count * tasks

            def seen() -> int:
                return sum(sum(run["counts"].values()) for run in api.all("runs", limit=100))

            whole = until(lambda: seen() >= total, 300)
            took, used = time.perf_counter() - began, sum(map(cpu, pids)) - used
            held = total if whole else seen()
            told = {"tasks/s": held / took, "accepted/s": total / accepted, "held": held / total}
            print(json.dumps({**told, "server CPU ms": used / total * 1000}), flush=True)


async def _append(here: Installation, made: list[NewRecord]) -> None:
    log = here.open_log()
    for start in range(0, len(made), CHUNK):
        await log.append(made[start : start + CHUNK])
    await log.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
