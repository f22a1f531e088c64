"""How a handler waits: it leaves what it waits for, and ends.

What it left is written in one transaction after the handler has unwound: what it asked for (a sub-task, an
approval), the fact that the task is paused if a person is asked, the recorded steps, and the position of the
command, which commits. Nothing of the process is needed any more; the slot is free.
"""

from typing import Literal

import msgspec

from coordination.agent.handled import Gate
from coordination.agent.journal import Parked
from coordination.agent.voice import Said


class Parking(msgspec.Struct, kw_only=True):
    """What a handler left when it ended at a wait.

    `waits_for` is a task id or a fan-out id, `since` from where on its end will be found (position per partition
    of the task facts).
    """

    status: Literal["waiting", "paused"]
    said: list[Said] = []
    waits_for: str = ""
    since: dict[int, int] = {}
    gate: Gate | None = None


class Park:
    """Where a handler leaves what it waits for. `parking` is None while it waits for nothing."""

    def __init__(self) -> None:
        self.parking: Parking | None = None

    def for_task(self, ident: str, since: dict[int, int], said: list[Said] | None = None) -> Parked:
        """Wait until a task or a join has ended: raise what this returns."""
        self.parking = Parking(status="waiting", said=said or [], waits_for=ident, since=since)
        return Parked()

    def for_person(self, gate: Gate, said: list[Said]) -> Parked:
        """Wait for a decision: raise what this returns."""
        self.parking = Parking(status="paused", said=said, gate=gate)
        return Parked()
