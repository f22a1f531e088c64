"""Tool and model calls of a task, out of its events: what was called, how long it took, how it ended."""

from collections.abc import Iterable
from typing import Any, Final

from coordination.event import Event
from coordination.lag import words
from dashboard.api.addresses import record_address, short_position
from dashboard.api.signs import Sign

ENDS: Final[dict[str, Sign]] = {
    "tool.call.completed": {"sign": "done", "label": "done"},
    "tool.call.failed": {"sign": "failed", "label": "failed"},
    "tool.call.canceled": {"sign": "canceled", "label": "canceled"},
    "tool.call.expired": {"sign": "failed", "label": "expired"},
    "tool.call.blocked": {"sign": "blocked", "label": "blocked"},
}
RUNNING: Final[Sign] = {"sign": "running", "label": "running"}
MILLION: Final = 1_000_000


def calls(events: Iterable[Event]) -> list[dict[str, Any]]:
    """One entry a call, in the order they began; a call is known by the subject of its events."""
    found: dict[str, list[Event]] = {}
    for event in events:
        if event.name.startswith(("tool.call.", "model.call.")):
            found.setdefault(event.subject if event.name.startswith("tool.") else event.id, []).append(event)
    return [_call(each) for each in found.values()]


def _call(events: list[Event]) -> dict[str, Any]:
    first, last = events[0], events[-1]
    model = last.name == "model.call.completed"
    sign = {"sign": "done", "label": "done"} if model else ENDS.get(last.name, RUNNING)
    name = getattr(last.data, "model", "") if model else getattr(last.data, "tool_name", "")
    error = getattr(last.data, "error", None)
    took = getattr(last.data, "duration_ms", None)
    span = last.at - first.at if took is None else took * 1000
    return {
        "sort": "model" if model else "tool",
        "name": name or getattr(first.data, "tool_name", "") or first.subject,
        "sign": sign,
        "at": first.at,
        "took": words(max(0, span)) if len(events) > 1 or took is not None else "",
        "tokens": (getattr(last.data, "tokens_in", None) or 0) + (getattr(last.data, "tokens_out", None) or 0),
        "error": f"{error.type}: {error.message}" if error else getattr(last.data, "reason", ""),
        "position": short_position(last.topic, last.partition, last.offset),
        "url": record_address(last.topic, last.partition, last.offset),
    }
