"""Figures of a benchmark, kept as JSON with the commit they were taken at, and what can be said of several runs."""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "results"
Figures = Mapping[str, Mapping[str, float]]


def keep(name: str, figures: Figures, **how: Any) -> Path:
    """Write `results/<name>.json`: {row: {figure: number}}, with how and where they were taken."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    told = {"benchmark": name, **where(), "how": how, "figures": figures}
    path.write_text(json.dumps(told, indent=1) + "\n")
    return path


def where() -> dict[str, Any]:
    """Commit (with `+` where files differ from it), time, machine, and how busy it was."""
    return {
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain", "-uno") else ""),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure over several rounds."""
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def table(figures: Figures) -> str:
    """The figures as text: a row each, a column for every name of a figure."""
    columns = list(dict.fromkeys(name for row in figures.values() for name in row))
    width = max(map(len, figures), default=0)
    lines = [" " * width + "".join(f"{name:>16}" for name in columns)]
    for name, row in figures.items():
        cells = (f"{row[column]:>16,.4g}" if column in row else " " * 16 for column in columns)
        lines.append(f"{name:{width}}" + "".join(cells))
    return "\n".join(lines)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=FOLDER.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip()
