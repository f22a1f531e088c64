"""One record with all that is known of it: envelope, data, causes, effects, its fate in every group that reads it."""

from typing import Any, Final

import msgspec

from coordination.envelope import Decoder
from coordination.errors import MalformedRecord
from coordination.event import Event
from coordination.eventlog import StoredRecord
from dashboard.api.envelope import attributes, facts, headers, text
from dashboard.api.eventlist import event_row
from dashboard.api.fate import fate
from dashboard.clock import database_now
from dashboard.events import cause_of, effects_of, events_of_task
from dashboard.hiding import hidden
from dashboard.manifest import manifest
from dashboard.masking import Rules, masked_record
from dashboard.models import DeadLetter, Rejected, Run
from dashboard.permissions import Person, may_see_payloads, may_unmask
from dashboard.policies import rules

# Causes and effects are looked for in all records of a run up to this many; beyond it, in those of the task alone.
SEARCHED: Final = 200_000
SHOWN: Final = 100


def record_page(record: StoredRecord, person: Person, *, unmask: bool = False) -> dict[str, Any]:
    """Everything about one record as this person sees it; `event` and what hangs on it are missing for a record that
    is no event. With `unmask` nothing is masked: whoever asks must have entered that in the trail."""
    event, reason = _decoded(record)
    payload = may_see_payloads(person)
    masks = Rules() if unmask else rules()
    framed = manifest().mapping.framed
    shown, count = masked_record(record, event.name if event else "", masks, framed=framed)
    cause, effects, complete = _around(event) if event else (None, [], True)
    return {
        "record": record,
        "event": hidden(event, masks, whole=True) if event else None,
        "row": event_row(hidden(event, masks, whole=True)) if event else None,
        "reason": reason,
        "facts": facts(record, manifest()),
        "attributes": attributes(shown),
        "headers": headers(shown) if payload else [],
        "header_count": len(headers(record)),
        "value": pretty_value(shown) if payload else "",
        "data": _data(shown) if payload else None,
        "may_see_payloads": payload,
        "hidden": count,
        "may_unmask": count > 0 and may_unmask(person),
        "causes": [event_row(cause)] if cause else [],
        "effects": [event_row(each) for each in effects[:SHOWN]],
        "complete": complete,
        "fate": fate(event, database_now(), effects) if event else [],
        "letter": _letter(record),
    }


def _decoded(record: StoredRecord) -> tuple[Event | None, str]:
    try:
        return Decoder(manifest()).decode(record), ""
    except MalformedRecord as error:
        known = Rejected.objects.filter(topic=record.topic, partition=record.partition, offset=record.offset).first()
        return None, known.reason if known else str(error)


def _around(event: Event) -> tuple[Event | None, list[Event], bool]:
    run = Run.objects.filter(run_id=event.run_id).only("events").first()
    if run is None or run.events <= SEARCHED:
        cause, effects, complete = cause_of(event), effects_of(event), True
    else:
        near = events_of_task(event.run_id, event.task_id) if event.task_id else []
        cause = next((each for each in near if each.id == event.causation_id), None)
        effects, complete = [each for each in near if each.causation_id == event.id], False
    return cause, effects, complete


def _letter(record: StoredRecord) -> DeadLetter | None:
    where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    return DeadLetter.objects.filter(**where).defer("record").first()


def pretty_value(record: StoredRecord) -> str:
    """The value as people read it: JSON indented, other text as it is, else hexadecimal."""
    try:
        return msgspec.json.format(record.value or b"", indent=2).decode() if record.value else ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text(record.value)


def record_row(found: dict[str, Any]) -> dict[str, Any]:
    """The record as the API gives it; data only for those who may see payloads, `masked` values of it hidden."""
    record: StoredRecord = found["record"]
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "attributes": {each["name"]: each["value"] for each in found["attributes"]},
        "data": found["data"],
        "masked": found["hidden"],
        "event": found["row"],
        "reason": found["reason"],
        "causes": found["causes"],
        "effects": found["effects"],
        "complete": found["complete"],
        "fate": found["fate"],
    }


def _data(record: StoredRecord) -> Any:
    try:
        return msgspec.json.decode(record.value) if record.value else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text(record.value)
