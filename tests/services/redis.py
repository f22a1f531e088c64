"""Redis for tests: memory only, on a free port."""

import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.services.found import Found
from tests.services.missing import missing_program
from tests.services.ports import free_port
from tests.services.process import ServerProcess

PACKAGES = ("redis-server",)
START_SECONDS = 30.0


def find_redis() -> Found:
    """`redis-server` from PATH; raises Missing."""
    program = shutil.which("redis-server")
    if program is None:
        raise missing_program("redis-server", PACKAGES, "it carries live updates between processes")
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"v=(\S+)", printed)
    return Found("redis", match[1] if match else printed.strip(), Path(program))


class RedisServer:
    """A running Redis: `with RedisServer() as redis: … redis.url()`. A restart forgets everything."""

    def __init__(self) -> None:
        program = find_redis().path
        self.folder = Path(tempfile.mkdtemp(prefix="lineside-redis-"))
        self.port = free_port()
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self._process = ServerProcess([program, *options, "--dir", self.folder], self.folder / "redis.log")

    def url(self, database: int = 0) -> str:
        """A URL for `LINESIDE_CHANNELS`; `database` is 0 to 15."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start unless it runs, and wait until it answers."""
        self._process.start()
        self._process.wait_until(self._answers, START_SECONDS)

    def stop(self) -> None:
        """End in order (SIGTERM)."""
        self._process.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def restart(self) -> None:
        """Stop if need be, start again on the same port, empty."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self._process.pause()

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._process.resume()

    def revive(self) -> None:
        """Undo what a test did: resume it if paused, start it if down."""
        self.resume()
        self.start()

    def close(self) -> None:
        """Kill and delete the folder."""
        self._process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ping(self, seconds: float = 2) -> bytes:
        """What the server answers to PING; raises OSError when it does not answer in time."""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).strip()

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

    def _answers(self) -> bool:
        try:
            return self.ping() == b"+PONG"
        except OSError:
            return False
