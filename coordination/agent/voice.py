"""Who speaks: an agent instance as the source of events, with its own sequence, ids and clock."""

import re
import time
from collections.abc import Callable
from itertools import count
from typing import Any, Final, NamedTuple

import msgspec

from coordination.encoding import new_event
from coordination.errors import CoordinationError
from coordination.eventlog import NewRecord
from coordination.events.shapes import Data
from coordination.ids import new_id
from coordination.manifest import Manifest

Clock = Callable[[], int]
NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,126}[a-z0-9])?")


def system_clock() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


class Identity(msgspec.Struct, frozen=True):
    """Who an instance is: its group, its name in the group, and a word that is new per process start."""

    group: str
    agent_id: str
    instance: str
    tenant: str = "default"
    deployment: str = "lineside"

    def __post_init__(self) -> None:
        for what, value in (("group", self.group), ("agent id", self.agent_id), ("tenant", self.tenant)):
            if not NAME.fullmatch(value):
                message = f"The {what} {value!r} must consist of a-z, 0-9 and hyphens, at most 128 characters."
                raise CoordinationError(message, code="bad_name")

    @property
    def source(self) -> str:
        """The `source` of everything this instance says."""
        return f"/{self.deployment}/agents/{self.agent_id}/{self.instance}"


class Said(NamedTuple):
    """A record ready to append, and the id of its event."""

    record: NewRecord
    event_id: str


class Voice:
    """Makes events of one source. Attributes that are empty are left out."""

    def __init__(self, identity: Identity, manifest: Manifest, clock: Clock) -> None:
        self.identity = identity
        self.clock = clock
        self._manifest = manifest
        self._numbers = count(1)

    def say(self, name: str, *, run_id: str, data: Data | dict[str, Any] | None = None, **attributes: Any) -> Said:
        """An event of the catalogue as a record for its topic; `attributes` are those of `new_event`.

        Raises MalformedRecord, RecordTooLarge.
        """
        now = self.clock()
        event_id = new_id(now)
        record = new_event(
            name,
            source=self.identity.source,
            time=now,
            id=event_id,
            run_id=run_id,
            data=data,
            agent_id=self.identity.agent_id,
            agent_group=self.identity.group,
            sequence=next(self._numbers),
            manifest=self._manifest,
            **{"tenant": self.identity.tenant} | attributes,
        )
        return Said(record, event_id)
