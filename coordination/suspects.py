"""Candidate decisive steps of a run whose making is unknown: where to look first, with reasons, never one verdict.

For traces of other systems no task says why it failed. Four signs are looked for, as in studies of failed agent
traces: what lies on the way back from the end over causation (nearer counts more), the first step that reported an
error, calls of one tool with the same arguments again and again, and results that nothing checked before the end.
The weights only order the list; a test holds what they prefer.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from coordination.event import Event

MOST: Final = 8
SLICE: Final = 60
"""Steps that are walked back from the end."""
LOOP: Final = 3
"""Equal calls from which on they are a loop."""
CHECKING: Final = re.compile(
    r"verif|check|test|review|validat|assert|lint|approv|evaluat|judge|critic|inspect|audit|confirm", re.IGNORECASE
)
BAD: Final = re.compile(r"(fail|error|exception|reject|timeout|timed.?out|expire|abort)", re.IGNORECASE)
PRODUCING: Final = frozenset(("task.completed", "task.artifact.produced", "tool.call.completed"))


class Suspect(msgspec.Struct, frozen=True):
    """A step that may have decided it: its event, a `score` that orders, the reasons in words."""

    event: Event
    score: float
    reasons: tuple[str, ...]


def suspects(events: Sequence[Event]) -> list[Suspect]:
    """Up to eight candidates of a run's events (in log order), most suspect first; empty for no events."""
    if not events:
        return []
    reasons: dict[str, list[tuple[float, str]]] = defaultdict(list)
    by_id = {event.id: event for event in events}
    end = _end(events)
    for sign in (_slice(end, by_id, events), _errors(events), _loops(events), _unchecked(events, end)):
        for event, score, why in sign:
            reasons[event.id].append((score, why))
    found = [
        Suspect(by_id[one], round(sum(score for score, _ in why), 3), tuple(text for _, text in why))
        for one, why in reasons.items()
    ]
    order = {event.id: place for place, event in enumerate(events)}
    return sorted(found, key=lambda one: (-one.score, order[one.event.id]))[:MOST]


Sign = Iterable[tuple[Event, float, str]]


def _end(events: Sequence[Event]) -> Event:
    """What is walked back from: the last step that reported something bad, else the last one."""
    return next((event for event in reversed(events) if is_bad(event)), events[-1])


def is_bad(event: Event) -> bool:
    """Whether a step reports an error: by its name, an `error` in its data, or a status that says so."""
    if BAD.search(event.name.rpartition(".")[2]) or getattr(event.data, "error", None):
        return True
    data = event.data if isinstance(event.data, Mapping) else {}
    status = data.get("status") or data.get("state") or data.get("outcome") or data.get("level")
    return bool(data.get("error") or data.get("exception")) or (isinstance(status, str) and bool(BAD.search(status)))


def _slice(end: Event, by_id: Mapping[str, Event], events: Sequence[Event]) -> Sign:
    """Back from the end: what triggered it, else the step before it of the same task, else of what asked for it."""
    here, seen = end, {end.id}
    yield end, 1.0, "the run's story ends here" if not is_bad(end) else "the last step that reported an error"
    for far in range(1, SLICE):
        before = by_id.get(here.causation_id) or _step_before(here, events)
        if before is None or before.id in seen:
            return
        seen.add(before.id)
        here = before
        yield here, 1.0 / (1 + far), f"{far} step{'' if far == 1 else 's'} back from the end by what led to it"


def _step_before(event: Event, events: Sequence[Event]) -> Event | None:
    if event.causation_id:
        return None
    place = next((at for at, one in enumerate(events) if one.id == event.id), 0)
    own = (one for one in reversed(events[:place]) if event.task_id and one.task_id == event.task_id)
    asked = (one for one in reversed(events[:place]) if event.parent_task_id and one.task_id == event.parent_task_id)
    return next(own, None) or next(asked, None)


def _errors(events: Sequence[Event]) -> Sign:
    bad = [event for event in events if is_bad(event)]
    if bad:
        rest = f"; {len(bad) - 1} more followed" if len(bad) > 1 else ""
        yield bad[0], 1.2, f"the first step that reported an error{rest}"


def _loops(events: Sequence[Event]) -> Sign:
    """The first of at least three calls of one tool with the same arguments by one task."""
    first: dict[tuple[str, str, str], Event] = {}
    count: Counter[tuple[str, str, str]] = Counter()
    for event in events:
        call = called(event)
        if call is not None:
            key = (event.task_id or event.agent_id, *call)
            first.setdefault(key, event)
            count[key] += 1
    for key, times in count.items():
        if times >= LOOP:
            yield first[key], min(1.5, 0.3 * times), f"{key[1]} was called {times} times with the same arguments"


def called(event: Event) -> tuple[str, str] | None:
    """(tool, arguments) of an event that calls a tool; None for any other. Foreign events by their usual fields."""
    if event.known:
        if event.name != "tool.call.requested":
            return None
        data = event.data
        given = data.arguments if data.arguments is not None else data.arguments_sha256 or data.arguments_ref
        return (data.tool_name, _text(given)) if given is not None else None
    data = event.data if isinstance(event.data, Mapping) else {}
    name = next((data[key] for key in ("tool_name", "tool", "function", "activityType") if data.get(key)), None)
    given = next((data[key] for key in ("arguments", "args", "input", "parameters") if key in data), None)
    ended = re.search(r"(complet|fail|result|finish|end|cancel)", event.name, re.IGNORECASE)
    return None if name is None or given is None or ended else (_text(name), _text(given))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()


def _unchecked(events: Sequence[Event], end: Event) -> Sign:
    """The last result before the end, if nothing that sounds like a check came after it."""
    made = [event for event in events if event.name in PRODUCING or _foreign_result(event)]
    if not made:
        return
    last = made[-1]
    after = events[events.index(last) + 1 :]
    if not any(_checks(event) for event in (last, *after)):
        yield last, 0.6, "the last result, and no step that verifies anything follows it"


def _foreign_result(event: Event) -> bool:
    return not event.known and bool(re.search(r"(complet|result|output|produc)", event.name, re.IGNORECASE))


def _checks(event: Event) -> bool:
    said = (event.name, event.subject, event.target_group, event.agent_group)
    data = [getattr(event.data, field, "") for field in ("tool_name", "task_type", "title", "step")]
    plain = event.data if isinstance(event.data, Mapping) else {}
    return any(CHECKING.search(str(text)) for text in (*said, *data, *(plain.get(key, "") for key in ("tool", "name"))))
