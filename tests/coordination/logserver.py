"""A process that serves the HTTP face of an SQLite log by Daphne, as a dashboard does: see `logsite`."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx


class LogServer:
    """The server process: `base_url`, and `token`, the token that may do everything."""

    token = "everything"

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.file = folder / "log.sqlite3"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 120.0) -> None:
        """Start it and wait until it answers."""
        application = "tests.coordination.logsite:application"
        command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port), application]
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.coordination.logsettings",
            "LOG_FILE": str(self.file),
        }
        with (self._folder / "server.log").open("ab") as output:
            self._process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "server.log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(self.base_url, timeout=10.0).status_code == httpx.codes.NOT_FOUND
        except httpx.HTTPError:
            return False
