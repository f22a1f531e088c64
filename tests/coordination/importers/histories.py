"""Histories for the tests of the Temporal importer: the published ones, and small ones made up."""

import json
from typing import Any

from coordination.event import Event
from coordination.importers.temporal import read
from tests.coordination.recordings import read_back, recording

# Published in both orders; how many entries each has.
PAIRS = {"completed": 18, "canceled": 13, "terminated": 30, "running": 13}

ALL = [
    "customer-service",
    "timed-out",
    "gogoproto-payload-workflow",
    "multiple-updates",
    "multiple-updates-canceled",
    "workflow_with_unknown_event",
    *(f"{name}.ascending" for name in PAIRS),
]


def events_of(name: str, run_id: str = "") -> list[Event]:
    return read_back(read(recording(f"temporal/{name}.json"), run_id=run_id).records)


def entries_of(name: str) -> list[dict[str, Any]]:
    content = json.loads(recording(f"temporal/{name}.json"))
    entries = content if isinstance(content, list) else content.get("history", content)["events"]
    return sorted(entries, key=lambda one: int(one["eventId"]))


def entry(number: int, kind: str, **attributes: Any) -> dict[str, Any]:
    name = kind[0].lower() + kind[1:] + "EventAttributes"
    return {"eventId": str(number), "eventTime": f"2026-05-01T12:00:{number:02d}Z", "eventType": kind, name: attributes}


def told(*entries: dict[str, Any]) -> list[Event]:
    return read_back(read(json.dumps(entries).encode()).records)


START = entry(1, "WorkflowExecutionStarted", workflowType={"name": "W"}, originalExecutionRunId="r-1")
