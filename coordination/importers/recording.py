"""What an importer makes of a file: the events of one run, as records to append.

Every id is a UUIDv5 of (origin, run, native id, phase), so that importing a file again gives duplicates and not
a second run. Every event carries `timebasis`: `recorded` where the file says when it happened, `derived` where the
importer had to work it out; readers then use the event's time although the log stamps the time of the import.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from coordination.attributes import MAX_RECORD_BYTES
from coordination.encoding import encode, new_event
from coordination.errors import CoordinationError
from coordination.event import Event
from coordination.eventlog import NewRecord
from coordination.ids import imported_id, sequence
from coordination.instants import parse
from coordination.manifest import Manifest

TIME_HEADER: Final = "ce_time"
MAX_INLINE: Final = 8 * 1024
MAX_ID: Final = 128
MAX_SLUG: Final = 63
DEFAULT_TENANT: Final = "default"


class BadRecording(CoordinationError):
    """The file cannot be imported; the message names what is wrong and where."""

    code = "bad_recording"


class Recording(msgspec.Struct, frozen=True):
    """A run as it was recorded. `events` counts the entries of the file, `unknown` those of each unknown type."""

    run_id: str
    origin: str
    events: int
    records: Iterable[NewRecord]
    unknown: Mapping[str, int] = {}


class Scribe:
    """Writes the events of one imported run. `sequence` of an event is the number of its entry in the file."""

    def __init__(
        self, origin: str, run_id: str, manifest: Manifest | None = None, tenant: str = DEFAULT_TENANT
    ) -> None:
        self.origin: Final = origin
        self.run_id: Final = run_id
        self._manifest = manifest or Manifest()
        self._common: dict[str, Any] = {
            "source": f"/import/agents/{origin}/{run_id}"[:256],
            "run_id": run_id,
            "tenant": tenant,
        }

    def id_of(self, native_id: object, phase: str) -> str:
        """The id of an event: the same at every import of the same run."""
        return imported_id(self.origin, self.run_id, str(native_id), phase)

    def write(
        self,
        name: str,
        time: int,
        native_id: object,
        *,
        phase: str = "",
        derived: bool = False,
        number: int | None = None,
        causation: str = "",
        data: Any = None,
        native_type: str = "",
        **attributes: Any,
    ) -> NewRecord:
        """An event of the catalogue. `phase` tells apart several of one name for one native id."""
        return new_event(
            name,
            id=self.id_of(native_id, phase or name),
            time=time,
            causation=causation,
            sequence=number,
            data=data,
            extensions=_extensions(derived, native_type),
            manifest=self._manifest,
            # What was recorded is told in full as far as a reader reads: there is no place to put the rest.
            max_data=MAX_RECORD_BYTES,
            **self._common,
            **attributes,
        )

    def write_foreign(
        self, kind: str, time: int, native_id: object, *, derived: bool, number: int, causation: str, data: Any
    ) -> NewRecord:
        """An event without a counterpart in the catalogue: stored and shown as it is, where its run is told."""
        event = Event(
            id=self.id_of(native_id, kind),
            source=self._common["source"],
            type=kind,
            name=kind,
            known=False,
            time=time,
            at=time,
            subject=f"run/{self.run_id}",
            tenant=self._common["tenant"],
            agent_id=self.origin,
            run_id=self.run_id,
            causation_id=causation,
            sequence=sequence(number),
            partition_key=self.run_id,
            extensions=_extensions(derived, ""),
            data=data,
            topic=self._manifest.topic_named("run.workflow.events"),
        )
        return encode(event)


def _extensions(derived: bool, native_type: str) -> dict[str, str]:
    basis = {"timebasis": "derived" if derived else "recorded"}
    return basis | {"nativetype": native_type} if native_type else basis


def time_of(record: NewRecord) -> int:
    """When the event of a record happened, in microseconds since 1970 UTC; 0 if it does not say."""
    text = next((value for name, value in record.headers if name == TIME_HEADER), b"")
    return parse(text.decode()) if text else 0


def slug(text: str, otherwise: str = "unknown") -> str:
    """A name as the envelope allows it for agents and groups: `[a-z0-9-]`, at most 63 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:MAX_SLUG].strip("-") or otherwise


def fitting(value: Any) -> Any:
    """The value if it is small enough to travel inline, else None (it stays in the file)."""
    try:
        return value if len(msgspec.json.encode(value)) <= MAX_INLINE else None
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        return None
