"""PostgreSQL for tests: a cluster of its own in a temporary folder, durable as in production (fsync on)."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from tests.services.found import Found
from tests.services.missing import Missing, missing_program
from tests.services.ports import free_port
from tests.services.process import ServerProcess

PACKAGES = ("postgresql",)
OLDEST = 14  # the oldest version Django 5.2 works with
DEBIAN = Path("/usr/lib/postgresql")
USER = "lineside"
START_SECONDS = 60.0
SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "on", "TimeZone": "UTC"}


def find_postgres() -> Found:
    """The folder with `initdb` and `postgres`: from PATH, else Debian's newest; raises Missing."""
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return Found("postgresql", _version(folder), folder)
    raise missing_program("PostgreSQL", PACKAGES, f"tests start a server of their own, version {OLDEST} or newer")


def _candidates() -> list[Path]:
    on_path = shutil.which("initdb")
    debian = sorted(DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name))
    return [*([Path(on_path).resolve().parent] if on_path else []), *reversed(debian)]


def _version(folder: Path) -> str:
    printed = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"(\d+)[.\d]*", printed)
    if match is None or int(match[1]) < OLDEST:
        raise Missing(f"{folder} holds {printed.strip()}, tests need {OLDEST} or newer", PACKAGES)
    return match[0]


class PostgresServer:
    """A running PostgreSQL: `with PostgresServer() as postgres: … postgres.url("postgres")`."""

    def __init__(self) -> None:
        self._binaries = find_postgres().path
        self._user = _account()
        self.folder = Path(tempfile.mkdtemp(prefix="lineside-postgres-"))
        if self._user:
            shutil.chown(self.folder, self._user)
        self.port = free_port()
        self._data = self.folder / "data"
        options = [f"--{name}={value}" for name, value in {**SETTINGS, "port": str(self.port)}.items()]
        self._process = ServerProcess(
            [self._binaries / "postgres", "-D", self._data, *options],
            self.folder / "postgres.log",
            user=self._user,
            parent_death=signal.SIGQUIT,  # unlike SIGKILL it leaves no shared memory behind
        )

    def url(self, database: str = "postgres") -> str:
        """A URL for psycopg and for `LINESIDE_DATABASE_URL`."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start unless it runs, and wait until it takes connections; after `kill` that includes its crash recovery."""
        if not self._data.exists():
            self._initdb()
        self._process.start()
        self._process.wait_until(self._answers, START_SECONDS)

    def stop(self, *, immediate: bool = False) -> None:
        """End (SIGINT: sessions are cut, data is flushed); `immediate` ends without flushing (SIGQUIT)."""
        self._process.stop(signal.SIGQUIT if immediate else signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL to the server and all its sessions at once."""
        self._process.kill()

    def restart(self) -> None:
        """Stop if need be, start again on the same port with the same data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP to the server and all its sessions: connections stay open and nothing answers."""
        self._process.pause()

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._process.resume()

    def revive(self) -> None:
        """Undo what a test did: resume it if paused, start it if down."""
        self.resume()
        self.start()

    def close(self) -> None:
        """Stop at once and delete the data."""
        self._process.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def create_database(self, name: str) -> str:
        """Make an empty database; returns its URL."""
        self._administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Delete a database, cutting off whoever is still connected; one that is not there is fine."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def log_tail(self, lines: int = 30) -> str:
        """The end of the server's log, for the message of a failing test."""
        return self._process.log_tail(lines)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url(), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _initdb(self) -> None:
        # C.UTF-8 sorts by code point on every machine, whatever its own language is.
        options = ["--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(
            [self._binaries / "initdb", "-D", self._data, *options],
            user=self._user,
            group=pwd.getpwnam(self._user).pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed, exit code {done.returncode}:\n{done.stdout}{done.stderr}")


def _account() -> str | None:
    """Whom to run as: PostgreSQL refuses root, so there it is Debian's `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    names = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
