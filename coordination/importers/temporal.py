"""Temporal histories: a workflow execution as a run, its activities and child workflows as tasks.

| Temporal | here |
|---|---|
| WorkflowExecution Started, Completed, ContinuedAsNew | run.started, run.completed |
| WorkflowExecution Failed, TimedOut / Canceled, Terminated | run.failed / run.canceled |
| ActivityTask Scheduled, Started, Completed, Failed, TimedOut, Canceled | task.requested … expired, canceled |
| StartChildWorkflowExecutionInitiated, ChildWorkflowExecution… | the same for a child |
| WorkflowExecutionUpdate Accepted, Completed | approval.requested, approval.granted or .denied |
| every other type | an event of a foreign type, told with the run |

`sequence` is the eventId, causation the scheduled entry or the completed workflow task. Several tasks scheduled by
one workflow task are a fan-out. A task depends on those whose results its workflow task had just received, timers
in between passed through. What the history only hints at is told as `derived`: attempts before the one that was
written, fan-outs and their joins, and that tasks still open when the run ended were canceled by its end.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from coordination.canonical import digest
from coordination.importers.recording import DEFAULT_TENANT, BadRecording, Recording, Scribe, slug
from coordination.importers.temporalhistory import Native, events_in, history
from coordination.importers.temporalrun import Telling
from coordination.manifest import Manifest

ORIGIN: Final = "temporal"
RUN_IDS: Final = ("originalExecutionRunId", "firstExecutionRunId")


def looks_like(content: Any) -> bool:
    """Whether parsed JSON is a Temporal history."""
    return events_in(content) is not None


def read(
    content: bytes, *, run_id: str = "", manifest: Manifest | None = None, tenant: str = DEFAULT_TENANT
) -> Recording:
    """The recording of a Temporal history, whatever its wrapping and order. Raises BadRecording."""
    try:
        entries = events_in(msgspec.json.decode(content))
    except (ValueError, RecursionError) as error:
        raise BadRecording(f"This is no JSON: {error}") from None
    if entries is None:
        raise BadRecording("This is no Temporal history: it has no list of events with an eventType.")
    natives = history(entries)
    run = run_id or _run_id(natives)
    unknown: Mapping[str, int] = Counter(native.type for native in natives if not native.known)
    told = Telling(natives, Scribe(ORIGIN, run, manifest, tenant)).records()
    return Recording(run, ORIGIN, len(natives), told, unknown)


def _run_id(natives: list[Native]) -> str:
    """The run id of the execution; where the history does not have it, one made of its content."""
    for name in RUN_IDS:
        for native in natives:
            if found := native.text(name):
                return slug(found)
    first = natives[0]
    name = first.text("workflowType", "name") or first.type
    return f"{slug(name)}-{digest([[native.number, native.type, str(native.time)] for native in natives])[:8]}"
