"""What became of one record for one consumer group: a pure function of where the group stands and of what was done.

A group's position is a low-water mark: with work side by side in a partition a record behind it may be done. So what
the log says was done stands above positions, except that a group that moved back will read the record again.
"""

from typing import Final, Literal

import msgspec

Word = Literal[
    "no position",
    "waiting",
    "running",
    "passed",
    "done",
    "passed without result",
    "lost unread",
    "held by open transaction",
    "will be read again",
    "unknown",
]
Work = Literal["not meant", "none", "running", "done"]
"""What the group made of the record: it is not meant for it, nothing is told, it is at work on it, it is done."""

UNREADABLE: Final = ("no permission", "stale", "unknown", "topic recreated")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a group stands on the record's partition. `reached` is the furthest it ever stood; None: not known."""

    state: str = "unknown"
    commit: int | None = None
    reached: int | None = None
    begin: int | None = None
    stable: int | None = None
    high: int | None = None


class Fate(msgspec.Struct, frozen=True):
    """The word, and the evidence it rests on in a sentence."""

    word: Word
    evidence: str


def fate_of(offset: int, standing: Standing | None, work: Work, told: str = "") -> Fate:
    """The fate of the record at `offset`. `standing` None: no poll saw the group on this partition; `told` is what
    the log says of the work, in words."""
    if work in ("running", "done") and (standing is None or standing.commit is None or standing.state in UNREADABLE):
        return Fate("done" if work == "done" else "running", told)
    if standing is None:
        return Fate("unknown", "no poll has seen this group on this partition")
    if standing.state in UNREADABLE:
        return Fate("unknown", f"the partition is {standing.state}")
    if standing.commit is None:
        return Fate("no position", "the group never committed there")
    if standing.commit <= offset:
        return _before(offset, standing, standing.commit, work, told)
    if work in ("running", "done"):
        return Fate(work, told)
    evidence = f"the group's commit is {standing.commit}"
    if work == "none":
        return Fate("passed without result", f"{evidence}, and nothing says that it was worked on")
    return Fate("passed", evidence)


def _before(offset: int, standing: Standing, commit: int, work: Work, told: str) -> Fate:
    """The group has not passed the record, or has gone back before it."""
    if standing.begin is not None and offset < standing.begin:
        if work == "done":
            return Fate("done", told)
        return Fate("lost unread", f"the log begins at {standing.begin} now, the group stood at {commit}")
    if standing.reached is not None and offset < standing.reached and work != "running":
        seen = f", although {told}" if work == "done" else ""
        return Fate("will be read again", f"the group moved back from {standing.reached} to {commit}{seen}")
    if work in ("running", "done"):
        return Fate(work, told)
    if standing.stable is not None and standing.high is not None and standing.stable <= offset < standing.high:
        return Fate("held by open transaction", f"readers stop at {standing.stable} until a transaction ends")
    return Fate("waiting", f"{offset - commit} records ahead; the group's commit is {commit}")
