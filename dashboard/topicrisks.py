"""What may go wrong with a topic as it stands, in words: retention against what still waits, copies, rights."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from coordination.lag import words
from coordination.manifest import Topic

DAY: Final = 86_400_000_000
REQUESTS: Final = "review.approval.commands"
TASKS: Final = "run.task.commands"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the log told of a topic. `retention` in µs, None for ever or not told; `rights` None: not told."""

    retention: int | None = None
    replication: int = 1
    min_insync: int | None = None
    cleanup: str = ""
    rights: frozenset[str] | None = None
    brokers_at_least: int = 1


def risks(declared: Topic, found: Found, oldest: Mapping[str, int], now: int) -> Iterator[str]:
    """Sentences, the gravest first. `oldest` is family -> when (µs) the oldest thing that still waits was appended."""
    yield from _deleted_before_done(declared, found, oldest.get(declared.family), now)
    if (
        found.retention is not None
        and declared.retention_ms * 1000 >= 0
        and found.retention < declared.retention_ms * 1000
    ):
        yield f"keeps {spell(found.retention)}, declared {spell(declared.retention_ms * 1000)}"
    if found.rights is not None and "read" not in found.rights:
        yield "Lineside may not read it: what is on it is missing from every picture"
    if declared.family in ("run.decision.commands", "review.approval.events") and _may_not_write(found):
        yield "Lineside may not write to it: decisions stay saved and are not sent"
    if found.replication == 1 and found.brokers_at_least > 1:
        yield "one copy of each record: it is lost with the disk of one broker"
    if found.min_insync is not None and found.min_insync >= found.replication > 1:
        yield f"needs {found.min_insync} of {found.replication} copies in step: one broker away stops all appends"
    if "delete" in found.cleanup.split(",") and declared.cleanup == "compact":
        yield "deletes old records, declared to keep the last of each key for ever"


def _deleted_before_done(declared: Topic, found: Found, oldest: int | None, now: int) -> Iterator[str]:
    if oldest is None or found.retention is None:
        return
    what = {REQUESTS: "the oldest open approval", TASKS: "the oldest waiting task"}.get(declared.family)
    left = oldest + found.retention - now
    if what is not None and left <= max(found.retention // 4, DAY):
        end = f"its record is deleted in {words(left)}" if left > 0 else "its record is deleted"
        yield f"keeps {spell(found.retention)}, {what} is {spell(now - oldest)} old: {end}"


def _may_not_write(found: Found) -> bool:
    return found.rights is not None and "write" not in found.rights


def spell(duration: int) -> str:
    """A duration (µs) as people say it of retention: 7 d, 36 h."""
    return words(duration).removesuffix(" 0 h").removesuffix(" 00 m")
