"""What a query line that is being typed may go on with: keys of the grammar, values out of what is there."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from coordination.events import CATALOGUE
from coordination.query import COMPARED, Field, Subject, Typing, quoted, typing
from dashboard.models import Agent, Audit, ConsumerGroup, DeadLetter, Decision, FoldPart, Position, Request, Run, Task
from dashboard.models.tenancy import visible_tenants

MOST: Final = 12
TYPED: Final = 80
DURATIONS: Final = ("1s", "10s", "1m", "10m", "1h", "1d")


class Choice(msgspec.Struct, frozen=True):
    """A way to go on: `text` replaces what was written, `note` says what it means."""

    text: str
    note: str = ""


def completions(subject: Subject, line: str, caret: int, run_id: str = "") -> dict[str, Any]:
    """Up to twelve ways to go on at the caret; `from` and `to` are the ends of what they replace.

    `run_id` keeps values to those of one run.
    """
    here = typing(line, caret, subject)
    if here is None:
        return {"items": [], "from": caret, "to": caret}
    found = _keys(subject, here.written) if here.field is None else _values(here, run_id)
    return {"items": [msgspec.to_builtins(one) for one in found], "from": here.at, "to": here.end}


def _keys(subject: Subject, written: str) -> list[Choice]:
    """Keys that begin with what was written, then those that hold it, or whose meaning does."""
    beginning = written.lower()
    fields = [
        *(field for field in subject.fields.values() if field.name.startswith(beginning)),
        *(field for field in subject.fields.values() if beginning and _inside(field, beginning)),
    ]
    keys = dict.fromkeys(
        Choice(field.name + (">" if field.kind in COMPARED else ":"), field.meaning) for field in fields
    )
    return list(keys)[:MOST]


def _inside(field: Field, text: str) -> bool:
    return text in field.name or (len(text) > 2 and text in field.meaning.lower())


def _values(here: Typing, run_id: str) -> list[Choice]:
    field = here.field
    assert field is not None
    written = here.written.strip('"')[:TYPED]
    if field.kind == "duration":
        return [Choice(one) for one in DURATIONS if one.startswith(written)]
    if field.choices:
        return _narrowed(field.choices, written)
    source = SOURCES.get(field.name)
    return _narrowed(source(written, run_id), written) if source else []


def _narrowed(values: Iterable[str | tuple[str, str]], written: str) -> list[Choice]:
    """The values that begin with what was written, then those that hold it; each once, in quotes where needed."""
    pairs = {value: "" for value in values if isinstance(value, str)}
    pairs |= {value[0]: value[1] for value in values if isinstance(value, tuple)}
    low = written.lower()
    fitting = [one for one, note in pairs.items() if one and (low in one.lower() or low in note.lower())]
    fitting.sort(key=lambda one: not one.lower().startswith(low))
    return [Choice(quoted(one), pairs[one] if pairs[one] != one else "") for one in fitting[:MOST]]


Source = Callable[[str, str], list[Any]]


def _distinct(rows: QuerySet[Any], column: str, written: str) -> list[str]:
    found = rows.filter(**{f"{column}__icontains": written}).exclude(**{column: ""}).order_by(column)
    return list(found.values_list(column, flat=True).distinct()[: 4 * MOST])


def _folds(run_id: str) -> QuerySet[FoldPart]:
    return FoldPart.objects.filter(run_id=run_id) if run_id else FoldPart.objects.all()


def _agents(written: str, run_id: str) -> list[str]:
    there = _distinct(_folds(run_id), "agent_group", written)
    # Groups belong to no tenant: whoever sees some tenants only is offered those that worked for them.
    if run_id or visible_tenants() is not None:
        return there
    return [*there, *_distinct(ConsumerGroup.objects.all(), "agent_group", written)]


def _runs(written: str, run_id: str) -> list[tuple[str, str]]:
    rows = Run.objects.filter(Q(run_id__icontains=written) | Q(name__icontains=written)).order_by("-first_at")
    return list(rows.values_list("run_id", "name")[:MOST])


def _tasks(written: str, run_id: str) -> list[tuple[str, str]]:
    rows = Task.objects.filter(run_id=run_id) if run_id else Task.objects.all()
    if written:
        rows = rows.filter(Q(task_id__icontains=written) | Q(title__icontains=written))
    return list(rows.values_list("task_id", "title")[:MOST])


def _deciders(written: str, run_id: str) -> list[str]:
    return _distinct(Decision.objects.filter(person__isnull=False), "person__username", written)


def _actors(written: str, run_id: str) -> list[str]:
    """Users with an entry in the part of the trail that whoever asks may see."""
    actors = Audit.objects.values_list("actor", flat=True).distinct()[:1000]
    ids = [actor.removeprefix("user-") for actor in actors]
    users = get_user_model().objects.filter(pk__in=[int(one) for one in ids if one.isdecimal()])
    return [*_distinct(users, "username", written), *(one for one in actors if not one.startswith("user-"))]


SOURCES: Final[dict[str, Source]] = {
    "agent": _agents,
    "type": lambda written, run_id: _distinct(_folds(run_id), "task_type", written),
    "topic": lambda written, run_id: _distinct(Position.objects.all(), "topic", written),
    "workflow": lambda written, run_id: _distinct(Run.objects.all(), "workflow", written),
    "instance": lambda written, run_id: (
        _distinct(Agent.objects.all(), "agent_id", written) if visible_tenants() is None else []
    ),
    "run": _runs,
    "task": _tasks,
    "caused-by": _tasks,
    "blocked-by": _tasks,
    "parent": _tasks,
    "approval": lambda written, run_id: _distinct(Request.objects.all(), "approval_id", written),
    "who": _actors,
    "by": _deciders,
    "act": lambda written, run_id: _distinct(Audit.objects.all(), "act", written),
    "about": lambda written, run_id: _distinct(Audit.objects.all(), "subject", written),
    "stage": lambda written, run_id: _distinct(DeadLetter.objects.all(), "stage", written),
    "event": lambda written, run_id: list(CATALOGUE),
    "kind": lambda written, run_id: ["action", "question"],
}
"""Key -> its live values, as (what was written, run or "")."""
