"""One instance as a process of its own, to be killed: `python -m tests.coordination.agent.workprocess`.

It writes each effect as one line into a file that all instances share, so that the test can count them.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from coordination.agent import Agent, Retry, TaskContext, ToolCall
from coordination.manifest import Manifest
from coordination.signing import Keyring


def worker(log: str, namespace: str, effects: Path, session_timeout: float, agent_id: str) -> Agent:
    """A group whose tasks have one effect each, take a while, and ask for a sub-task."""
    agent = Agent(
        "worker",
        log=log,
        agent_id=agent_id,
        manifest=Manifest(namespace),
        keyring=Keyring(),
        retry=Retry(attempts=5, losses=50, base=0.05, cap=0.1),
        session_timeout=session_timeout,
        concurrency=4,
        heartbeat=1.0,
    )

    async def note(call: ToolCall) -> str:
        with effects.open("a") as file:
            file.write(f"{call.idempotency_key}\n")
        return call.idempotency_key

    @agent.task("work")
    async def work(task: TaskContext) -> Any:
        await asyncio.sleep(0.05)
        await task.tool("effects.note", {}, note, effects=True)
        await asyncio.sleep(0.05)
        half = await task.request("half", "worker", input=task.input)
        return half.required() * 2

    @agent.task("half")
    async def half(task: TaskContext) -> Any:
        await asyncio.sleep(0.02)
        return task.input / 2

    return agent


def main() -> None:
    """Arguments: log, namespace, effects file, session time-out, agent id."""
    log, namespace, effects, timeout, agent_id = sys.argv[1:]
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    worker(log, namespace, Path(effects), float(timeout), agent_id).run()


if __name__ == "__main__":
    main()
