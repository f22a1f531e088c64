"""Identifiers that must come out the same whenever a handler is run again: of sub-tasks, fan-outs, approvals."""

import hashlib
import re
from typing import Final
from uuid import UUID, uuid5

NAMESPACE: Final = UUID("2b6a8c14-71f5-5d0a-9a8e-6f4c1b7d3e90")
LONGEST: Final = 128


def child_id(parent: str, step: str, task_type: str, index: int = 0) -> str:
    """The task id of a sub-task: its type, so that people can read it, and 64 bits of a hash."""
    word = re.sub(r"[^a-z0-9]+", "-", task_type.lower()).strip("-")[:60] or "task"
    return f"{word}-{_hash(parent, step, str(index))[:16]}"


def step_id(task_id: str, step: str) -> str:
    """The id of something a task has once: a fan-out, an approval."""
    return str(uuid5(NAMESPACE, f"{task_id}\x1f{step}"))


def idempotency_key(*parts: str) -> str:
    """The parts joined with a slash; shortened to a hash where that is longer than an attribute may be."""
    text = "/".join(parts)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 33]}~{_hash(*parts)[:32]}"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
