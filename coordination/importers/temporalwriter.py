"""Writes what a Temporal history tells, and remembers which event each entry became."""

from typing import Any, Final

from coordination.eventlog import NewRecord
from coordination.importers.recording import MAX_INLINE, Scribe, fitting, slug
from coordination.importers.temporalhistory import Native

# Where an entry says what caused it, the most telling first.
CAUSES: Final = (
    "scheduledEventId",
    "workflowTaskCompletedEventId",
    "initiatedEventId",
    "acceptedEventId",
    "startedEventId",
)


class Writer:
    """Collects the records of one run. The first event written for an entry is what others name as their cause."""

    def __init__(self, scribe: Scribe) -> None:
        self.scribe: Final = scribe
        self._ids: dict[int, str] = {}
        self._records: list[tuple[int, int, int, NewRecord]] = []

    def write(
        self,
        name: str,
        native: Native,
        *,
        time: int | None = None,
        phase: str = "",
        derived: bool = False,
        causation: str | None = None,
        agent_id: str = "",
        **attributes: Any,
    ) -> str:
        """Write an event of the catalogue for an entry; returns its id. An event at another `time` is derived."""
        at = native.time if time is None else time
        record = self.scribe.write(
            name,
            at,
            native.number,
            phase=phase,
            derived=derived or native.derived or time is not None,
            number=native.number,
            causation=self.cause_of(native) if causation is None else causation,
            agent_id=agent_id or worker_of(native),
            native_type=native.type[:64],
            **attributes,
        )
        ident = self.scribe.id_of(native.number, phase or name)
        if not derived and not phase:
            self._ids.setdefault(native.number, ident)
        self._add(at, native.number, record)
        return ident

    def write_foreign(self, kind: str, native: Native) -> None:
        """Write an entry that has no counterpart."""
        attributes = fitting(dict(native.attributes))
        data = {
            "event_id": native.number,
            "event_type": native.type,
            "attributes": attributes,
            **({"note": f"attributes over {MAX_INLINE} bytes are left in the file"} if attributes is None else {}),
        }
        record = self.scribe.write_foreign(
            kind,
            native.time,
            native.number,
            derived=native.derived,
            number=native.number,
            causation=self.cause_of(native),
            data=data,
        )
        self._ids.setdefault(native.number, self.scribe.id_of(native.number, kind))
        self._add(native.time, native.number, record)

    def cause_of(self, native: Native) -> str:
        """The id of the event that caused an entry: what it names, else what stands right before it."""
        for name in CAUSES:
            found = self._ids.get(native.ref(name))
            if found:
                return found
        return self._ids.get(native.number - 1, "")

    def id_of(self, number: int) -> str:
        """The id of the event an entry became; empty if there is none."""
        return self._ids.get(number, "")

    def in_order(self) -> list[NewRecord]:
        """All records in the order of time, at one instant in the order they were written."""
        return [record for *_, record in sorted(self._records, key=lambda one: one[:3])]

    def _add(self, time: int, number: int, record: NewRecord) -> None:
        self._records.append((time, number, len(self._records), record))


def worker_of(native: Native) -> str:
    """The agent an entry names as its worker; the workflow itself where it names none."""
    identity = native.text("identity")
    return slug(identity) if identity else "workflow"
