"""`python -m tests [--long] [pytest's arguments]`: every check of the project, one after the other.

All of them run, also after one has failed; the exit code is 0 only when every one passed.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Stage(NamedTuple):
    """A check: what it is called and the command that performs it."""

    name: str
    command: Sequence[str]


class Outcome(NamedTuple):
    """How a stage went; it passed with exit code 0."""

    name: str
    exit_code: int
    seconds: float

    def __str__(self) -> str:
        verdict = f"FAILED, exit code {self.exit_code}" if self.exit_code else "passed"
        return f"{self.name:<10} {self.seconds:7.1f} s  {verdict}"


def stages(pytest_arguments: Sequence[str]) -> list[Stage]:
    """The checks in their order; arguments go to pytest."""
    python = [sys.executable, "-m"]
    # import-linter has no `python -m` form; its script lies beside this interpreter.
    lint_imports = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or "lint-imports"
    return [
        Stage("services", [*python, "tests.services.install"]),
        Stage("ruff", [*python, "ruff", "check", "."]),
        Stage("bandit", [*python, "bandit", "-q", "-c", "pyproject.toml", "-r", "coordination", "dashboard"]),
        Stage("mypy", [*python, "mypy", "coordination", "dashboard", "tests/services"]),
        Stage("imports", [lint_imports]),
        *_pytest(python, pytest_arguments),
    ]


def _pytest(python: Sequence[str], arguments: Sequence[str]) -> list[Stage]:
    """Two files at a time, because half of a test's time is waiting for a server; each has servers of its own. Faults
    are told apart from a busy machine only where nothing else runs."""
    together = [*python, "pytest", "-n", "2", "--dist", "loadfile", "--durations", "20"]
    if set(arguments) - {"--long"}:
        return [Stage("pytest", [*together, *arguments])]
    return [
        Stage("pytest", [*together, "--ignore", "tests/faults", *arguments]),
        Stage("faults", [*python, "pytest", "--durations", "20", "tests/faults", *arguments]),
    ]


def perform(stage: Stage) -> Outcome:
    """Run one check with its output as it is; a program that cannot be started counts as failed (127)."""
    print(f"\n=== {stage.name}: {' '.join(stage.command)}", flush=True)
    started = time.monotonic()
    try:
        exit_code = subprocess.run(stage.command, cwd=ROOT, check=False).returncode
    except OSError as error:
        print(f"{stage.command[0]} could not be started: {error}", flush=True)
        exit_code = 127
    return Outcome(stage.name, exit_code, time.monotonic() - started)


def run(checks: Sequence[Stage]) -> int:
    """Perform all checks, print how each went; 0 when every one passed, else 1."""
    outcomes = [perform(stage) for stage in checks]
    print("\n" + "\n".join(map(str, outcomes)), flush=True)
    failed = [outcome.name for outcome in outcomes if outcome.exit_code]
    print(f"FAILED: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run(stages(sys.argv[1:])))
