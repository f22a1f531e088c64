"""Temporal workflow histories: the wrappings and spellings in which servers export them, read into one shape.

Three wrappings occur: a bare list, `{"events": [...]}` and `{"history": {"events": [...]}}`. Types come as
`EVENT_TYPE_X_Y` and as `XY`, the order may be newest first. The list of types is Temporal's own (temporal.api.enums
EventType); a type that is not in it is kept and counted, never fatal.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from coordination.importers.recording import BadRecording
from coordination.instants import EARLIEST, LATEST, MICROSECONDS
from coordination.instants import parse as parse_time

PREFIX: Final = "EVENT_TYPE_"
ATTRIBUTES: Final = "EventAttributes"
LONGEST: Final = (LATEST - EARLIEST) / MICROSECONDS
KNOWN: Final = frozenset(
    """
    WorkflowExecutionStarted WorkflowExecutionCompleted WorkflowExecutionFailed WorkflowExecutionTimedOut
    WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskCompleted WorkflowTaskTimedOut WorkflowTaskFailed
    ActivityTaskScheduled ActivityTaskStarted ActivityTaskCompleted ActivityTaskFailed ActivityTaskTimedOut
    ActivityTaskCancelRequested ActivityTaskCanceled TimerStarted TimerFired TimerCanceled
    WorkflowExecutionCancelRequested WorkflowExecutionCanceled
    RequestCancelExternalWorkflowExecutionInitiated RequestCancelExternalWorkflowExecutionFailed
    ExternalWorkflowExecutionCancelRequested MarkerRecorded WorkflowExecutionSignaled WorkflowExecutionTerminated
    WorkflowExecutionContinuedAsNew StartChildWorkflowExecutionInitiated StartChildWorkflowExecutionFailed
    ChildWorkflowExecutionStarted ChildWorkflowExecutionCompleted ChildWorkflowExecutionFailed
    ChildWorkflowExecutionCanceled ChildWorkflowExecutionTimedOut ChildWorkflowExecutionTerminated
    SignalExternalWorkflowExecutionInitiated SignalExternalWorkflowExecutionFailed
    ExternalWorkflowExecutionSignaled UpsertWorkflowSearchAttributes WorkflowExecutionUpdateAdmitted
    WorkflowExecutionUpdateAccepted WorkflowExecutionUpdateRejected WorkflowExecutionUpdateCompleted
    WorkflowPropertiesModifiedExternally ActivityPropertiesModifiedExternally WorkflowPropertiesModified
    NexusOperationScheduled NexusOperationStarted NexusOperationCompleted NexusOperationFailed
    NexusOperationCanceled NexusOperationTimedOut NexusOperationCancelRequested
    NexusOperationCancelRequestCompleted NexusOperationCancelRequestFailed WorkflowExecutionOptionsUpdated
    WorkflowExecutionPaused WorkflowExecutionUnpaused
    """.split()  # noqa: SIM905 - a list to be compared by eye
)


class Native(msgspec.Struct, frozen=True):
    """One entry of a history. `time` is in microseconds, `derived` if the entry did not say when."""

    number: int
    type: str
    known: bool
    time: int
    derived: bool
    attributes: Mapping[str, Any]

    def ref(self, name: str) -> int:
        """The number of the entry that an attribute refers to; 0 for none."""
        return number_of(self.attributes.get(name))

    def text(self, *path: str) -> str:
        """A text inside the attributes; empty where there is none."""
        return text_in(self.attributes, *path)


def events_in(content: Any) -> list[Any] | None:
    """The entries of any of the three wrappings; None if parsed JSON is no history."""
    found = content
    for name in ("history", "events"):
        if isinstance(found, Mapping) and name in found:
            found = found[name]
    if not isinstance(found, list) or not found:
        return None
    return found if all(isinstance(one, Mapping) and "eventType" in one for one in found[:3]) else None


def history(entries: list[Any]) -> list[Native]:
    """The entries, oldest first. Raises BadRecording for one without a number, or two with the same."""
    natives: dict[int, Mapping[str, Any]] = {}
    for place, entry in enumerate(entries, start=1):
        number = number_of(entry.get("eventId")) if isinstance(entry, Mapping) else 0
        if number < 1:
            raise BadRecording(f"Entry {place} of the history has no eventId.")
        if number in natives:
            raise BadRecording(f"Two entries of the history have the eventId {number}.")
        natives[number] = entry
    found: list[Native] = []
    for number, entry in sorted(natives.items()):
        found.append(_native(number, entry, found[-1].time if found else 0))
    return found


def _native(number: int, entry: Mapping[str, Any], before: int) -> Native:
    kind = _type(str(entry.get("eventType", "")))
    time = _time(entry.get("eventTime"))
    return Native(number, kind, kind in KNOWN, before if time is None else time, time is None, _attributes(entry))


def _type(text: str) -> str:
    if not text.startswith(PREFIX):
        return text or "Unspecified"
    return "".join(word.capitalize() for word in text[len(PREFIX) :].split("_"))


def _time(text: Any) -> int | None:
    try:
        return parse_time(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None


def _attributes(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    found = next((value for name, value in entry.items() if name.endswith(ATTRIBUTES)), None)
    return found if isinstance(found, Mapping) else {}


def number_of(value: Any) -> int:
    """A number that Temporal writes as text or as a number; 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return 0
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def text_in(found: Any, *path: str) -> str:
    """A text inside nested objects; empty where there is none."""
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def seconds_of(value: Any, otherwise: float) -> float:
    """A duration as Temporal writes it: `1s`, `0.5s`; `otherwise` for what is none, or longer than there are dates."""
    try:
        found = float(str(value).removesuffix("s"))
    except ValueError:
        return otherwise
    return found if 0 <= found <= LONGEST else otherwise


def payloads(found: Any) -> list[Any]:
    """The values of a payloads object: JSON where it was encoded as JSON, else the payload as it stands."""
    listed = found.get("payloads") if isinstance(found, Mapping) else None
    return [_payload(one) for one in listed] if isinstance(listed, list) else []


def _payload(one: Any) -> Any:
    data = one.get("data") if isinstance(one, Mapping) else None
    if not isinstance(data, str):
        return None if isinstance(one, Mapping) and set(one) <= {"metadata", "data"} else one
    try:
        return msgspec.json.decode(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return one
