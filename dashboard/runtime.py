"""The background roles of a process: ingest in a thread of its own, all others side by side on one event loop.

The same for `worker`, which does nothing else, and for `demo`, which also serves pages. A role that fails is said
once and started again; the others go on.
"""

import asyncio
import gc
import logging
import os
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from django.db import connection
from django.utils.module_loading import import_string

from dashboard.eventlog import close_eventlog, open_eventlog
from dashboard.ingest.loop import Ingest
from dashboard.ingest.postgres import PostgresStore
from dashboard.ingest.sqlite import SqliteStore
from dashboard.ingest.store import Store
from dashboard.manifest import manifest
from dashboard.outages import Outage
from dashboard.shards import Leases

log = logging.getLogger(__name__)
INGEST: Final = "ingest"
# Role -> its coroutine function, which runs until `stop` is set. Named, not imported: a worker with one role needs
# no other, and what one of them imports is none of the others' business.
ROLES: Final[dict[str, str]] = {
    "lag": "dashboard.lagpoll.run",
    "relay": "dashboard.relay.run",
    "sweep": "dashboard.sweep.run",
    "upkeep": "dashboard.upkeep.run",
    "notify": "dashboard.notify.run",
    "state": "dashboard.summaries.run",
}
# What nobody reads need not be published: the role `state` works where it is asked for by name.
ON_REQUEST: Final = ("state",)
ALL: Final = tuple(role for role in (INGEST, *ROLES) if role not in ON_REQUEST)
Role = Callable[[asyncio.Event], Awaitable[None]]


def worker_name() -> str:
    """A name no other process has or had: host, pid, and something random, since pids come back."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def make_store() -> Store:
    """The store for the database in use."""
    return SqliteStore() if connection.vendor == "sqlite" else PostgresStore()


class Runtime:
    """The roles of this process. `drain`: ingest ends by itself once the log's end is in the tables."""

    def __init__(self, roles: Sequence[str] = ALL, *, drain: bool = False) -> None:
        unknown = set(roles) - set(ALL) - set(ON_REQUEST)
        if unknown:
            known = ", ".join((*ALL, *ON_REQUEST))
            raise ValueError(f"There is no role {', '.join(sorted(unknown))}; roles are {known}.")
        self.roles = tuple(roles)
        self.drained = False
        self._drain = drain
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def start(self) -> None:
        """Start all roles; returns at once."""
        if INGEST in self.roles:
            self._threads.append(threading.Thread(target=self._ingest, name="ingest", daemon=True))
        others = [role for role in self.roles if role != INGEST]
        if others:
            target = self._background
            self._threads.append(threading.Thread(target=target, args=(others,), name="roles", daemon=True))
        collect_seldom()
        for thread in self._threads:
            thread.start()

    def request_stop(self) -> None:
        """Ask all roles to end; returns at once, so that a signal handler may call it."""
        self._stop.set()

    def stop(self, patience: float = 4.0) -> bool:
        """Ask all roles to end, and wait `patience` seconds; False if one had not ended by then."""
        self.request_stop()
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)
        for thread in self._threads:
            thread.join(patience)
        return not any(thread.is_alive() for thread in self._threads)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until `stop`, or until ingest has drained the log; False after `seconds`."""
        return self._stop.wait(seconds)

    def _ingest(self) -> None:
        leases = Leases(worker_name(), INGEST)
        ingest = Ingest(open_eventlog, manifest(), make_store(), leases, drain=self._drain, close_log=close_eventlog)
        self.drained = ingest.run(self._stop)
        self._stop.set()

    def _background(self, roles: Sequence[str]) -> None:
        asyncio.run(self._side_by_side(roles))

    async def _side_by_side(self, roles: Sequence[str]) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        if self._stop.is_set():
            return
        await asyncio.gather(*(self._keep_running(role, self._stopping) for role in roles))
        await close_eventlog()

    async def _keep_running(self, name: str, stop: asyncio.Event) -> None:
        outage = Outage(log, f"The role {name}")
        while not stop.is_set():
            try:
                role: Role = import_string(ROLES[name])
                await role(stop)
                outage.worked()
            except Exception as error:
                if not outage.failures:
                    log.exception("The role %s failed", name)
                try:
                    await asyncio.wait_for(stop.wait(), outage.failed(error))
                except TimeoutError:
                    continue


def collect_seldom() -> None:
    """Decoding makes millions of short-lived objects without cycles; looking for cycles among them, and in all that
    was imported, took a tenth of the time of ingest. What has cycles is still found, less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
