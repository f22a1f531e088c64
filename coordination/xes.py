"""A run as an event log for process mining: XES 1.0 (IEEE 1849-2016), one trace, activities by task type.

Steps of a task follow the standard lifecycle model; what has no place in it is `unknown`, with the event's own name
beside it. What a task is called is known from its request; events of tasks that were never asked for are named by
the event.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from xml.sax.saxutils import quoteattr  # writes, never parses  # nosec B406

from coordination.event import Event
from coordination.instants import rfc3339

LIFECYCLE: Final[Mapping[str, str]] = {
    "task.requested": "schedule",
    "task.accepted": "assign",
    "task.assigned": "assign",
    "task.released": "reassign",
    "task.started": "start",
    "task.paused": "suspend",
    "task.resumed": "resume",
    "task.attempt.failed": "ate_abort",
    "task.failed": "ate_abort",
    "task.expired": "ate_abort",
    "task.rejected": "pi_abort",
    "task.canceled": "withdraw",
    "task.completed": "complete",
    "run.started": "start",
    "run.completed": "complete",
    "run.failed": "ate_abort",
    "run.canceled": "withdraw",
}
EXTENSIONS: Final = (
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
)
_EPOCH: Final = "1970-01-01T00:00:00.000Z"


def xes(run_id: str, name: str, events: Iterable[Event], task_types: Mapping[str, str]) -> Iterator[str]:
    """The document in pieces. `events` in their order, `task_types` by task id."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield '<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">\n'
    for title, prefix, uri in EXTENSIONS:
        yield f'  <extension name="{title}" prefix="{prefix}" uri="{uri}"/>\n'
    yield f'  <global scope="trace">\n    {_string("concept:name", "run")}\n  </global>\n'
    yield '  <global scope="event">\n'
    yield f"    {_string('concept:name', 'event')}\n    {_date('time:timestamp', _EPOCH)}\n"
    yield f"    {_string('lifecycle:transition', 'unknown')}\n  </global>\n"
    yield '  <classifier name="Activity" keys="concept:name"/>\n'
    yield '  <classifier name="Activity and step" keys="concept:name lifecycle:transition"/>\n'
    yield f"  {_string('lifecycle:model', 'standard')}\n"
    yield f"  <trace>\n    {_string('concept:name', run_id)}\n    {_string('run:name', name)}\n"
    for event in events:
        yield _event(event, task_types)
    yield "  </trace>\n</log>\n"


def _event(event: Event, task_types: Mapping[str, str]) -> str:
    activity = task_types.get(event.task_id) or event.name
    lines = [
        _string("concept:name", activity),
        _date("time:timestamp", rfc3339(event.at)),
        _string("lifecycle:transition", LIFECYCLE.get(event.name, "unknown")),
        _string("event:type", event.name),
        _string("event:position", f"{event.topic}-{event.partition}@{event.offset}"),
    ]
    for key, value in (
        ("concept:instance", event.task_id),
        ("org:resource", event.agent_id),
        ("org:group", event.agent_group),
        ("event:id", event.id),
        ("event:causation", event.causation_id),
    ):
        if value:
            lines.append(_string(key, value))
    if event.attempt:
        lines.append(f'<int key="task:attempt" value="{event.attempt}"/>')
    if event.derived:
        lines.append('<boolean key="time:derived" value="true"/>')
    inner = "\n".join(f"      {line}" for line in lines)
    return f"    <event>\n{inner}\n    </event>\n"


def _string(key: str, value: str) -> str:
    return f'<string key="{key}" value={quoteattr(legal(value))}/>'


def _date(key: str, value: str) -> str:
    return f'<date key="{key}" value="{value}"/>'


def legal(text: str) -> str:
    """Text without the characters that XML 1.0 forbids; each becomes U+FFFD."""
    return "".join(letter if _allowed(ord(letter)) else "�" for letter in text)


def _allowed(code: int) -> bool:
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
