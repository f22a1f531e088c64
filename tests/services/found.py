"""A program that was looked for and found."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Found:
    """One line of `python -m tests.services.install`: what it is, which version, and where it lies."""

    name: str
    version: str
    path: Path

    def __str__(self) -> str:
        return f"{self.name:<12} {self.version:<18} {self.path}"
