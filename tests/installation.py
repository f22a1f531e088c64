"""An installation of Lineside for a test: its own settings, tables and topics, its commands as processes.

Nothing here is imported from Django: what is tried runs as operators run it, in processes of its own.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx

from coordination.eventlog import EventLog, NewRecord, Record, TopicPartition
from coordination.kafkalog import open_kafkalog
from coordination.manifest import Manifest
from coordination.sqlitelog import SqliteLog
from tests.services.ports import free_port
from tests.services.process import ServerProcess

ROOT: Final = Path(__file__).resolve().parents[1]
USER: Final = "lena"
PASSWORD: Final = "correct horse battery"
START_SECONDS: Final = 90.0


class Api:
    """The HTTP API of a running installation, asked with a token."""

    def __init__(self, address: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=f"{address}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    def get(self, path: str, **query: Any) -> Any:
        """The answer to a GET; raises httpx.HTTPStatusError."""
        answer = self._client.get(path, params=query)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Any, *, key: str = "") -> Any:
        """The answer to a POST, with an Idempotency-Key if one is given; raises httpx.HTTPStatusError."""
        answer = self._client.post(path, json=body, headers={"Idempotency-Key": key} if key else {})
        answer.raise_for_status()
        return answer.json()

    def all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All items of a list, page after page."""
        items, cursor = [], None
        while True:
            page = self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class Installation:
    """Settings of one installation, and its processes; use it as a context manager, which ends them.

    `log` and `database` are addresses as in LINESIDE_LOG and LINESIDE_DATABASE_URL, empty for files in `folder`.
    """

    def __init__(
        self, folder: Path, *, log: str = "", database: str = "", channels: str = "memory", namespace: str = "coord"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = log or f"sqlite:///{quote(str(folder / 'log.sqlite3'))}"
        self.database = database or f"sqlite:///{quote(str(folder / 'lineside.sqlite3'))}"
        self.manifest = Manifest(namespace)
        self.settings: Mapping[str, str] = {
            "LINESIDE_STATE": str(folder),
            "LINESIDE_LOG": self.log,
            "LINESIDE_DATABASE_URL": self.database,
            "LINESIDE_CHANNELS": channels,
            "LINESIDE_NAMESPACE": namespace,
        }
        self._processes: list[ServerProcess] = []
        self._apis: list[Api] = []

    def prepare(self) -> None:
        """Make tables, topics and a user who may do everything."""
        self.run(sys.executable, "-m", "tests.preparation", USER, PASSWORD)

    def manage(self, *arguments: str, seconds: float = 120) -> str:
        """What `manage.py …` prints; raises AssertionError with its words when it fails."""
        return self.run(sys.executable, str(ROOT / "manage.py"), *arguments, seconds=seconds)

    def run(self, *command: str, seconds: float = 120) -> str:
        """What a command prints that finds this installation in its environment."""
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment(), capture_output=True, text=True, check=False, timeout=seconds
        )
        words = f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        assert done.returncode == 0, words
        return done.stdout.strip()

    def start(self, name: str, *arguments: str) -> ServerProcess:
        """`manage.py …` as a process that runs until the test is over; its log is `name`.log in the folder, and
        PostgreSQL knows its sessions by `name`."""
        return self._start(name, [sys.executable, str(ROOT / "manage.py"), *arguments])

    def worker(self, name: str, *arguments: str) -> ServerProcess:
        """A worker, started but perhaps not yet at work."""
        return self.start(name, "worker", *arguments)

    def serve(self, name: str = "web") -> "Site":
        """A web process, once it answers."""
        port = free_port()
        daphne = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "dashboard.asgi:application"]
        site = Site(self, self._start(name, daphne), port)
        site.process.wait_until(site.answers, START_SECONDS)
        return site

    def one_process(self) -> "Site":
        """Pages and all background roles in one process without agents, once it answers."""
        port = free_port()
        process = self.start("demo", "demo", "--no-agents", "--port", str(port))
        process.wait_until(lambda: process.logged("Open http"), START_SECONDS)
        return Site(self, process, port)

    def api(self, site: "Site", *scopes: str) -> Api:
        """The API of a web process, for a user who may do everything: within these scopes, else only look."""
        scope = [word for name in scopes for word in ("--scope", name)]
        token = self.manage("token", USER, "--name", "tests", *scope).splitlines()[-1]
        self._apis.append(Api(site.address, token))
        return self._apis[-1]

    def open_log(self) -> EventLog:
        """A client of the log for the running event loop; close it there."""
        parts = urlsplit(self.log)
        return open_kafkalog(self.log) if parts.scheme == "kafka" else SqliteLog(Path(parts.path))

    def append(self, records: Sequence[NewRecord]) -> None:
        """Append records to the log, in order."""
        asyncio.run(self._append(records))

    def records(self) -> list[Record]:
        """Everything that is on the log now: partition after partition, in offset order."""
        return asyncio.run(self._records())

    def pids(self) -> list[int]:
        """Of the processes that run."""
        return [process.pid for process in self._processes if process.running]

    def close(self) -> None:
        """End all processes, paused ones too."""
        for api in self._apis:
            api.close()
        for process in reversed(self._processes):
            process.stop(seconds=10)

    def __enter__(self) -> "Installation":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.settings, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}

    def _start(self, name: str, command: Sequence[str]) -> ServerProcess:
        more = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PGAPPNAME": name}
        given = [f"{key}={value}" for key, value in {**self.settings, **more}.items()]
        process = ServerProcess(["env", *given, *command], self.folder / f"{name}.log")
        process.start()
        self._processes.append(process)
        return process

    async def _append(self, records: Sequence[NewRecord]) -> None:
        log = self.open_log()
        try:
            for first in range(0, len(records), 500):
                await log.append(records[first : first + 500])
        finally:
            await log.close()

    async def _records(self) -> list[Record]:
        log = self.open_log()
        try:
            partitions = list(self._partitions())
            ends = await log.ends(partitions)
            found: list[Record] = []
            reader = await log.reader({one: ends[one].begin for one in partitions})
            while any(position < ends[one].stable for one, position in reader.positions().items()):
                found += await reader.read(1_000, 0.2)
            await reader.close()
        finally:
            await log.close()
        return sorted(found, key=lambda record: (record.topic, record.partition, record.offset))

    def _partitions(self) -> Iterator[TopicPartition]:
        for spec in self.manifest.specs():
            yield from (TopicPartition(spec.name, number) for number in range(spec.partitions))


class Site:
    """A web process of an installation."""

    def __init__(self, installation: Installation, process: ServerProcess, port: int) -> None:
        self.installation = installation
        self.process = process
        self.address = f"http://127.0.0.1:{port}"

    def answers(self) -> bool:
        """Whether it answers anybody."""
        try:
            return httpx.get(f"{self.address}/api/v1/health", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
