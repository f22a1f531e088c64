"""How long an event takes from its append to a browser's socket, with everything in one process.

    uv run python -m tests.benchmarks.bench_live [--rate 100] [--seconds 20] [--runs 25] [--elsewhere]

A server process holds log, database, ingest and sockets. Each run has one viewer; events are spread over the runs,
because one viewer is told at most ten times a second. Events are appended in the server process, or with
`--elsewhere` in this one, as agents of another local process would. Prints p50, p95 and the worst in ms.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from coordination.encoding import new_event
from coordination.eventlog import EventLog
from coordination.ids import new_id
from tests.services.ports import free_port
from tests.services.websocket import WebSocket

HOST = "127.0.0.1"


async def feed(log: EventLog, rate: float, seconds: float, runs: int) -> None:
    """Append one event at a time, each saying in its title when it was appended (ns)."""
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        stamp = time.time_ns()
        record = new_event(
            "task.requested",
            source="/bench",
            time=stamp // 1000,
            id=new_id(stamp // 1000),
            run_id=f"run-{number % runs}",
            task_id=f"task-{number}",
            target_group="bench",
            data={"task_type": "bench", "title": str(stamp)},
        )
        await log.append([record])


def serve(port: int) -> None:
    """The server: pages, sockets and ingest; feeds itself when a line on standard input says how."""
    import django  # noqa: PLC0415  (needs the environment of this child)

    django.setup()
    from django.contrib.auth import get_user_model  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from dashboard.asgi import application  # noqa: PLC0415
    from dashboard.eventlog import open_eventlog  # noqa: PLC0415
    from dashboard.manifest import manifest  # noqa: PLC0415
    from dashboard.runtime import Runtime  # noqa: PLC0415
    from dashboard.server import serve as daphne  # noqa: PLC0415

    call_command("migrate", verbosity=0, skip_checks=True)
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("bench"))

    async def create() -> None:
        await open_eventlog().create_topics(manifest().specs())

    asyncio.run(create())
    runtime = Runtime(["ingest"])

    def listen() -> None:
        for line in sys.stdin:
            rate, seconds, runs = json.loads(line)

            async def go(rate: float = rate, seconds: float = seconds, runs: int = runs) -> None:
                await feed(open_eventlog(), rate, seconds, runs)

            asyncio.run(go())

    def ready() -> None:
        runtime.start()
        threading.Thread(target=listen, daemon=True).start()
        print(json.dumps({name: morsel.value for name, morsel in client.cookies.items()}), flush=True)

    daphne(application, host=HOST, port=port, ready=ready)


class Viewers:
    """The sockets, and the delays (ms) they saw."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port, self._cookie = port, cookie
        self.delays: dict[str, float] = {}

    async def watch(self, about: str, ready: asyncio.Event) -> None:
        """Watch until cancelled."""
        async with WebSocket(HOST, self._port, "/ws/live", cookie=self._cookie) as socket:
            await socket.send(json.dumps({"watch": [about]}))
            await socket.receive()
            ready.set()
            while True:
                message = json.loads(await socket.receive())
                now = time.time_ns()
                await socket.send(json.dumps({"ack": message["to"], "about": about}))
                for row in message["rows"]:
                    if row["kind"] == "task":
                        self.delays.setdefault(row["id"], (now - int(row["title"])) / 1e6)


async def measure(options: argparse.Namespace, port: int, server: "subprocess.Popen[str]", state: str) -> list[float]:
    """Start the viewers, let events be appended, collect what they saw."""
    assert server.stdout
    assert server.stdin
    cookies: dict[str, Any] = json.loads(await asyncio.to_thread(server.stdout.readline))
    viewers = Viewers(port, "; ".join(f"{name}={value}" for name, value in cookies.items()))
    ready = [asyncio.Event() for _ in range(options.runs)]
    tasks = [asyncio.create_task(viewers.watch(f"run:run-{n}", ready[n])) for n in range(options.runs)]
    await asyncio.gather(*(each.wait() for each in ready))
    if options.elsewhere:
        from coordination.sqlitelog import SqliteLog  # noqa: PLC0415  (only this way needs it)

        await feed(SqliteLog(Path(state) / "log.sqlite3"), options.rate, options.seconds, options.runs)
    else:
        print(json.dumps([options.rate, options.seconds, options.runs]), file=server.stdin, flush=True)
        await asyncio.sleep(options.seconds)
    await asyncio.sleep(1.5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # The first second is warming up: templates of SQL, caches of decoding.
    counted = [delay for name, delay in viewers.delays.items() if int(name.split("-")[1]) >= options.rate]
    sent = int(options.rate * options.seconds)
    print(f"{len(viewers.delays)} of {sent} events seen", flush=True)
    return counted


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--elsewhere", action="store_true")
    parser.add_argument("--serve", type=int)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as state:
        environment = {"DJANGO_SETTINGS_MODULE": "dashboard.settings", "LINESIDE_STATE": state}
        command = [sys.executable, "-m", "tests.benchmarks.bench_live", "--serve", str(port)]
        server = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            delays = asyncio.run(measure(options, port, server, state))
        finally:
            server.terminate()
            server.wait(10)
    cuts = statistics.quantiles(delays, n=100)
    print(f"append → socket: p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, worst {max(delays):.0f} ms")


if __name__ == "__main__":
    main()
