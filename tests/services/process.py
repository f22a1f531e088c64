"""A server process of ours: started with a log file, stopped by its pid, never outliving the tests."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.services.missing import missing_program

# Linux sends the "parent died" signal when the *thread* that started the child ends. A test may restart a server
# from a short-lived worker thread, so every server is started from this one thread, which lives as long as we do.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="server-starter")


class ServerProcess:
    """One server; `command` is run afresh by every `start`, output is appended to `log`.

    `user` is the account to run as (only root may name one), `parent_death` the signal the kernel sends to the
    server should the tests die without stopping it.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        user: str | None = None,
        parent_death: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.command = [str(part) for part in command]
        self.log = log
        self._prefix = _bound_to_us(user, parent_death)
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False
        self._log_start = 0

    @property
    def pid(self) -> int:
        """Of the running server; raises RuntimeError when there is none."""
        if self._process is None:
            raise RuntimeError(f"{Path(self.command[0]).name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there, paused or not."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process unless it runs; returns at once, see `wait_until`."""
        if self.running:
            return
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self._process = _STARTER.submit(self._popen).result()

    def _popen(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*self._prefix, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.log.parent,
                start_new_session=True,  # Ctrl-C in the terminal is for the tests, which then stop us in order
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait for `ready`; raises RuntimeError with the end of the log when the process ends or time is up."""
        limit = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise RuntimeError(f"{self.command[0]} ended before it was ready\n{self.log_tail()}")
            if time.monotonic() > limit:
                raise RuntimeError(f"{self.command[0]} was not ready after {seconds} s\n{self.log_tail()}")
            time.sleep(0.02)

    def logged(self, words: str) -> bool:
        """Whether the log has these words since the last `start`."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return words.encode() in log.read()

    def log_tail(self, lines: int = 30) -> str:
        """The last lines of the log, after its path."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join([f"--- {self.log} ---", *text.splitlines()[-lines:]])

    def stop(self, signal_number: signal.Signals = signal.SIGTERM, seconds: float = 30) -> None:
        """Ask the server to end and wait; kill it when it does not obey. Nothing happens when it is not running."""
        if self._process is None:
            return
        if self.running:
            self.resume()
            self._process.send_signal(signal_number)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL to the process and all its children, as if the power were cut off for them."""
        if self._process is None:
            return
        family = self._stopped_family()
        for pid in family:
            _send(pid, signal.SIGKILL)
        self._process.wait(30)
        # Orphans of PostgreSQL hold its shared memory until they are gone; a restart must not meet them.
        while not all(_ended(pid) for pid in family):
            time.sleep(0.005)
        self._process, self._paused = None, False

    def pause(self) -> None:
        """SIGSTOP to the process and all its children: connections stay open, nothing answers."""
        family = self._stopped_family()
        for pid in family:
            _send(pid, signal.SIGSTOP)
        self._paused = True
        # On a busy machine its threads may go on for a while; nobody is to be answered after this.
        while not all(_asleep(pid) for pid in family):
            time.sleep(0.002)

    def resume(self) -> None:
        """SIGCONT after `pause`; nothing happens otherwise."""
        if self._paused:
            for pid in [self.pid, *children_of(self.pid)]:
                _send(pid, signal.SIGCONT)
        self._paused = False

    def _stopped_family(self) -> list[int]:
        _send(self.pid, signal.SIGSTOP)  # so that it makes no further children while they are listed
        return [self.pid, *children_of(self.pid)]


def children_of(parent: int) -> list[int]:
    """Pids of the direct children of a process."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _state_and_parent(pid)[1] == parent]


def _ended(pid: int) -> bool:
    return _state_and_parent(pid)[0] in {"Z", "X"}


def _asleep(pid: int) -> bool:
    """Whether all its threads have stopped, or it has ended."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return all(_state(thread / "stat") in {"T", "t", "Z", "X"} for thread in threads)
    except FileNotFoundError:
        return True


def _state(stat: Path) -> str:
    try:
        return stat.read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _state_and_parent(pid: int) -> tuple[str, int]:
    try:
        # Fields after the command's name, which is in brackets and may itself hold blanks: state, parent, …
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return "X", 0
    return state, int(parent)


def _send(pid: int, signal_number: signal.Signals) -> None:
    try:
        os.kill(pid, signal_number)
    except ProcessLookupError:
        return  # it ended by itself meanwhile, which is what a signal could do at most


def _bound_to_us(user: str | None, parent_death: signal.Signals) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise missing_program("setpriv", ("util-linux",), "servers of the tests must not outlive them")
    account = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    # Should we be killed before setpriv has asked for the signal, none would come: hence the look at the parent.
    check = ["sh", "-c", 'test "$PPID" = "$0" && exec "$@"', str(os.getpid())]
    return [setpriv, *account, f"--pdeathsig={parent_death.name.removeprefix('SIG')}", "--", *check]
