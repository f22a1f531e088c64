"""Whether a task is what a term of a query line asks for: the meaning of every key that a task can answer by itself.

What tables can answer faster they answer with the same meaning; a test holds the two together. Keys that need more
than the task are not here: `state:dead` (dead letters), `offset` (records), `caused-by` and `blocked-by` (other
tasks, see `descendants` and `coordination.causes`).
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from coordination.delays import begin_of, delays
from coordination.query import Term, compared, like
from coordination.subjects import WAITS
from coordination.tasks import OPEN, TERMINAL, Task

MILLION: Final = 1_000_000
STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "failed": ("failed", "rejected", "expired"),
    "human": ("input_required", "auth_required"),
    "retrying": ("retry_wait",),
    "running": ("working",),
    "waiting": ("requested", "submitted"),
    "unknown": ("unknown",),
    "canceled": ("canceled",),
    "done": ("completed",),
    "open": tuple(sorted(OPEN - {""})),
    "ended": tuple(sorted(TERMINAL)),
}
"""Word of `state:` -> states of tasks; a state that is not here stands for itself."""
COLUMNS: Final[Mapping[str, str]] = {
    "task": "task_id",
    "type": "task_type",
    "agent": "agent_group",
    "instance": "agent_id",
    "parent": "parent_task_id",
    "fanout": "fanout_id",
    "fold": "fold_key",
    "topic": "command_topic",
}
"""Key of a word -> the field of the task that holds it."""


def states_of(words: Iterable[str]) -> tuple[str, ...]:
    """The states that words of `state:` stand for."""
    return tuple(dict.fromkeys(state for word in words for state in STATES.get(word, (word,))))


def matches(term: Term, task: Task, now: int) -> bool:
    """Whether a term holds for a task at `now` (µs). Raises KeyError for a key that the task alone cannot answer."""
    return _holds(term, task, now) != term.negated


def _holds(term: Term, task: Task, now: int) -> bool:
    if term.key in COLUMNS:
        return any(like(word, getattr(task, COLUMNS[term.key])) for word in term.words)
    return _KEYS[term.key](term, task, now)


def _text(term: Term, task: Task, now: int) -> bool:
    text = f"{task.title}\n{task.task_id}\n{task.task_type}\n{_error(task)}".lower()
    return any(word.lower() in text for word in term.words)


def _error(task: Task) -> str:
    return f"{task.error.type}: {task.error.message}" if task.error else ""


def _wait(term: Term, task: Task, now: int) -> bool:
    return compared(term.op, delays(task, now).parts().get(WAITS[term.key], 0), term.number)


def _age(term: Term, task: Task, now: int) -> bool:
    return task.requested_at is not None and compared(term.op, now - task.requested_at, term.number)


def _took(term: Term, task: Task, now: int) -> bool:
    begin = begin_of(task)
    if begin is None:
        return False
    end = task.ended_at if task.state in TERMINAL and task.ended_at is not None else now
    return compared(term.op, max(0, end - begin), term.number)


def _numbered(read: Callable[[Task], int | float]) -> Callable[[Term, Task, int], bool]:
    def holds(term: Term, task: Task, now: int) -> bool:
        return any(compared(term.op, read(task), value) for value in term.values if isinstance(value, int | float))

    return holds


def _within(read: Callable[[Task], str]) -> Callable[[Term, Task, int], bool]:
    def holds(term: Term, task: Task, now: int) -> bool:
        return any(word.lower() in read(task).lower() for word in term.words)

    return holds


_KEYS: Final[Mapping[str, Callable[[Term, Task, int], bool]]] = {
    "": _text,
    "state": lambda term, task, now: task.state in states_of(term.words),
    "title": _within(lambda task: task.title),
    "error": _within(_error),
    "age": _age,
    "took": _took,
    "attempt": _numbered(lambda task: task.attempt),
    "tokens": _numbered(lambda task: task.tokens_in + task.tokens_out),
    "cost": _numbered(lambda task: task.cost / MILLION),
    **dict.fromkeys(WAITS, _wait),
}
ANSWERED: Final = frozenset(_KEYS) | frozenset(COLUMNS)
"""The keys that `matches` knows."""


def descendants(tasks: Iterable[Task], cause: str) -> set[str]:
    """The tasks of one run that a task or an event led to: what it asked for, what depends on that, and so on.

    `cause` is the id of a task, which is not part of the answer, or of an event, whose tasks are.
    """
    by_id = {task.task_id: task for task in tasks}
    speaker = {event: task.task_id for task in by_id.values() for event in _spoken(task) if event}
    after: dict[str, list[str]] = {}
    for task in by_id.values():
        for before in {task.parent_task_id, *task.depends_on, speaker.get(task.causation_id, "")} - {"", task.task_id}:
            after.setdefault(before, []).append(task.task_id)
    found = {task.task_id for task in by_id.values() if cause in (task.causation_id, task.request_id)}
    queue = deque([*found, cause])
    while queue:
        for task_id in after.get(queue.popleft(), ()):
            if task_id not in found:
                found.add(task_id)
                queue.append(task_id)
    return found - {cause}


def _spoken(task: Task) -> tuple[str, ...]:
    """The ids of the events of a task that its row knows."""
    return (task.request_id, task.ended_event, *(attempt.event_id for attempt in task.attempts))
