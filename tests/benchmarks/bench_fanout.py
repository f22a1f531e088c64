"""What it costs one process to tell many browsers, beside plain `group_send` in the same run.

    uv run python -m tests.benchmarks.bench_fanout [--viewers 1000] [--seconds 20] [--rate 10] [--rounds 5]

Deltas of 2 KB go to all viewers. Rows: `hub` and `plain` at 100 viewers, `hub` at all of them, with ten that stall,
and all reconnecting at once. Figures: share of the deltas that arrived, share of a core, processor µs for one delta
to one viewer, p95 and worst delay (ms; ours holds deltas back to at most ten messages a second), memory (MB).
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from typing import Any

from tests.benchmarks.delta import ABOUT
from tests.benchmarks.results import keep, medians, table
from tests.services.ports import free_port
from tests.services.websocket import Closed, WebSocket

HOST, FEW, STALLED = "127.0.0.1", 100, 10
PATHS = {"hub": "/ws/live", "plain": "/plain"}


class Server:
    """The server process and how to reach it."""

    def __init__(self, folder: str) -> None:
        self.port = free_port()
        environment = {"DJANGO_SETTINGS_MODULE": "dashboard.settings", "LINESIDE_STATE": folder}
        command = [sys.executable, "-m", "tests.benchmarks.fanoutserver", str(self.port)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(command, env=os.environ | environment, **pipes)  # type: ignore[call-overload]
        cookies: dict[str, str] = json.loads(self.process.stdout.readline())
        self._cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())

    def socket(self, kind: str) -> WebSocket:
        """A socket, not yet connected."""
        return WebSocket(HOST, self.port, PATHS[kind], cookie=self._cookie)

    async def feed(self, kind: str, rate: float, seconds: float) -> dict[str, float]:
        """Let deltas be sent; what that took."""
        print(json.dumps([kind, rate, seconds]), file=self.process.stdin, flush=True)
        told: dict[str, float] = json.loads(await asyncio.to_thread(self.process.stdout.readline))
        return told


async def begin(kind: str, socket: WebSocket) -> None:
    """Be told of deltas from now on."""
    if kind == "hub":
        await socket.send(json.dumps({"watch": [ABOUT]}))
        await socket.receive()


async def listen(kind: str, socket: WebSocket, delays: list[float]) -> None:
    """Take in messages, as a browser does, until the socket is closed."""
    try:
        while True:
            message: Any = json.loads(await socket.receive())
            now = time.time_ns()
            rows = [message] if kind == "plain" else message["rows"]
            if kind == "hub":
                await socket.send(json.dumps({"ack": message["to"]}))
            delays += [(now - row["made"]) / 1e6 for row in rows]
    except (Closed, OSError):
        return


async def row(
    server: Server, kind: str, viewers: int, rate: float, seconds: float, stalled: int = 0
) -> dict[str, float]:
    """One measurement. Those who stall connect, and then take nothing in."""
    delays: list[float] = []
    async with AsyncExitStack() as stack:
        sockets = []
        for _ in range(viewers + stalled):
            sockets.append(await stack.enter_async_context(server.socket(kind)))
            await begin(kind, sockets[-1])
        tasks = [asyncio.create_task(listen(kind, socket, delays)) for socket in sockets[:viewers]]
        told = await server.feed(kind, rate, seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    sent = int(rate * seconds) * viewers
    return {
        "arrived": len(delays) / sent,
        "of a core": told["cpu"] / told["wall"],
        "CPU µs": told["cpu"] / sent * 1e6,
        "p95 ms": statistics.quantiles(delays, n=20)[-1] if len(delays) > 1 else 0.0,
        "worst ms": max(delays, default=0.0),
        "memory": told["memory"],
    }


async def reconnect(server: Server, viewers: int) -> dict[str, float]:
    """All come at once, as after a restart; each has its answer, and then asks the API as browsers do."""
    began, waits = time.perf_counter(), []

    async def one() -> None:
        async with server.socket("hub") as socket:
            await begin("hub", socket)
            waits.append((time.perf_counter() - began) * 1000)

    found = await asyncio.gather(*(one() for _ in range(viewers)), return_exceptions=True)
    failed = sum(isinstance(each, BaseException) for each in found)
    return {"arrived": 1 - failed / viewers, "p95 ms": statistics.quantiles(waits, n=20)[-1], "worst ms": max(waits)}


async def one_round(server: Server, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """All rows once."""
    few, many, how = min(FEW, options.viewers // 2), options.viewers, (options.rate, options.seconds)
    found = {f"{kind}, {few} viewers": await row(server, kind, few, *how) for kind in PATHS}
    ours, plain = (found[f"{kind}, {few} viewers"] for kind in PATHS)
    ours["times cheaper"] = plain["CPU µs"] / ours["CPU µs"]
    found[f"hub, {many} viewers"] = await row(server, "hub", many, *how)
    found[f"hub, {STALLED} more stalled"] = await row(server, "hub", many, *how, stalled=STALLED)
    found[f"{many} reconnect"] = await reconnect(server, many)
    return found


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        try:
            rounds = []
            for _ in range(options.rounds):
                rounds.append(asyncio.run(one_round(server, options)))
                print(table(rounds[-1]), flush=True)
        finally:
            server.process.terminate()
            server.process.wait(10)
    found = {name: medians([each[name] for each in rounds]) for name in rounds[0]}
    print(f"medians of {options.rounds}\n{table(found)}")
    keep("fanout", found, **vars(options))


if __name__ == "__main__":
    main()
