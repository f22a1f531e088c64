"""Input and output of tasks and runs, as masking leaves them for whoever may see payloads."""

from collections.abc import Iterable
from typing import Any, Final

from coordination.event import Event
from coordination.tasks import Task as TaskRow
from dashboard.masking import MASK, Rules, masked_field
from dashboard.policies import rules

# What a row keeps, the events it came from, and the field of their data.
SOURCES: Final = {
    "input": ("task.requested", "run.started"),
    "output": ("task.completed", "run.completed"),
}


def carried(task: TaskRow, events: Iterable[Event]) -> dict[str, Any]:
    """Input and output of a task; `events` are its own, which say how sensitive they are."""
    return _carried({"input": task.input, "output": task.output}, list(events), rules(), of_run=False)


def carried_by_run(values: dict[str, Any], events: Iterable[Event]) -> dict[str, Any]:
    """Input and output of a run; `events` those that may say how sensitive they are."""
    return _carried(values, list(events), rules(), of_run=True)


def _carried(values: dict[str, Any], events: list[Event], masks: Rules, *, of_run: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, value in values.items():
        kind = SOURCES[field][of_run]
        if value is None or not len(masks):
            found[field] = value
        elif masks.classes and _hidden_class(kind, events, masks):
            found[field] = MASK
        else:
            found[field] = masked_field(field, value, kind, masks)
    return found


def _hidden_class(kind: str, events: list[Event], masks: Rules) -> bool:
    """Whether the event it came from declares a class that is hidden; also where that event is not at hand."""
    wanted = {name.lower() for name in masks.classes}
    said = [event.extensions.get("dataclassification", "").lower() for event in events if event.name == kind]
    return not said or any(name in wanted for name in said)
