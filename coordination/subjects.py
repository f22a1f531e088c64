"""What can be asked for by a query line, and by which keys: runs, tasks, events, approvals, dead letters, …

A key means the same wherever it stands. Instants are told as ages: `age>1h` is what is older than an hour.
"""

from collections.abc import Iterable
from typing import Final

from coordination.query import Field, Kind, Subject

WAITS: Final[dict[str, str]] = {
    "wait.broker": "in_broker",
    "wait.queue": "agent_queue",
    "wait.retry": "retry_backoff",
    "wait.review": "human_review",
    "wait.decision": "decision_returning",
    "ran": "execution",
}
"""Key -> the phase of `coordination.delays` it stands for."""


def _subject(name: str, *fields: Field) -> Subject:
    return Subject(name, {field.name: field for field in fields})


def _field(name: str, kind: Kind, meaning: str, choices: Iterable[str] = ()) -> Field:
    return Field(name, kind, meaning, tuple(choices))


_RUN: Final = _field("run", "word", "id of the run")
_TASK: Final = _field("task", "word", "id of the task")
_AGENT: Final = _field("agent", "word", "agent group")
_INSTANCE: Final = _field("instance", "word", "one agent of a group")
_TYPE: Final = _field("type", "word", "task type")
_TOPIC: Final = _field("topic", "word", "topic of the record")
_OFFSET: Final = _field("offset", "position", "partition@offset of the record")
_CAUSED: Final = _field("caused-by", "word", "id of the task or event that led to it")
_ERROR: Final = _field("error", "text", "words of the error")
_TITLE: Final = _field("title", "text", "words of the title")
_TOKENS: Final = _field("tokens", "number", "tokens in and out")
_COST: Final = _field("cost", "number", "cost in the currency unit")
_ATTEMPT: Final = _field("attempt", "number", "tries so far")
_TOOK: Final = _field("took", "duration", "from start to end, or until now")
_WAITS: Final = (
    _field("wait.broker", "duration", "time until an agent had it in hand"),
    _field("wait.queue", "duration", "time accepted and not begun"),
    _field("wait.retry", "duration", "time between attempts"),
    _field("wait.review", "duration", "time a person needed"),
    _field("wait.decision", "duration", "time from decision to resumption"),
    _field("ran", "duration", "time at work"),
)


def _age(since: str) -> Field:
    return _field("age", "duration", f"time since it was {since}")


RUN_STATES: Final = (
    "live",
    "running",
    "waiting",
    "human",
    "retrying",
    "failed",
    "done",
    "completed",
    "canceled",
    "ended",
)
TASK_STATES: Final = (
    "failed",
    "dead",
    "blocked",
    "human",
    "retrying",
    "running",
    "waiting",
    "unknown",
    "canceled",
    "done",
    "open",
    "ended",
    "requested",
    "submitted",
    "working",
    "retry_wait",
    "input_required",
    "auth_required",
    "completed",
    "rejected",
    "expired",
)

RUNS: Final = _subject(
    "runs",
    _field("state", "choice", "how the run stands", RUN_STATES),
    _field("workflow", "word", "name of the workflow"),
    _field("name", "text", "words of the name"),
    _RUN,
    _AGENT,
    _TYPE,
    _TASK,
    _TOPIC,
    _OFFSET,
    _CAUSED,
    _ERROR,
    _age("started"),
    _TOOK,
    _field("tasks", "number", "tasks asked for"),
    _TOKENS,
    _COST,
    *_WAITS,
)
TASKS: Final = _subject(
    "tasks",
    _field("state", "choice", "how the task stands", TASK_STATES),
    _TASK,
    _TITLE,
    _TYPE,
    _AGENT,
    _INSTANCE,
    _field("parent", "word", "id of the task that asked for it"),
    _field("fanout", "word", "id of the fan-out it is a branch of"),
    _field("fold", "word", "key of the fold it is in"),
    _field("fingerprint", "word", "fingerprint of its error"),
    _TOPIC,
    _OFFSET,
    _CAUSED,
    _field("blocked-by", "word", "id of the failed task it hangs on"),
    _ERROR,
    _ATTEMPT,
    _age("requested"),
    _TOOK,
    _TOKENS,
    _COST,
    *_WAITS,
)
EVENTS: Final = _subject(
    "events",
    _field("event", "word", "name of the event"),
    _field("id", "word", "id of the event"),
    _TASK,
    _AGENT,
    _INSTANCE,
    _TOPIC,
    _OFFSET,
    _CAUSED,
    _ERROR,
    _ATTEMPT,
    _age("appended"),
)
APPROVALS: Final = _subject(
    "approvals",
    _field(
        "state",
        "choice",
        "how the request stands",
        ("pending", "overdue", "decided", "granted", "denied", "expired", "withdrawn"),
    ),
    _field("risk", "choice", "how much is at stake", ("low", "medium", "high", "critical")),
    _field("kind", "word", "action, question …"),
    _field("action", "word", "name of the action"),
    _TITLE,
    _RUN,
    _TASK,
    _AGENT,
    _INSTANCE,
    _TOPIC,
    _OFFSET,
    _CAUSED,
    _field("by", "word", "user who decided"),
    _age("asked"),
    _field("due", "duration", "time left until it is due"),
    _field("expires", "duration", "time left until it expires"),
)
LETTERS: Final = _subject(
    "dead letters",
    _field("kind", "choice", "dead by an agent, or rejected here", ("dead", "rejected")),
    _field("state", "choice", "what became of it", ("open", "redriven", "discarded", "kept")),
    _RUN,
    _TASK,
    _AGENT,
    _TOPIC,
    _OFFSET,
    _CAUSED,
    _ERROR,
    _field("fingerprint", "word", "the same error whatever numbers it names"),
    _field("stage", "word", "where it went wrong"),
    _field("event", "word", "name of the event"),
    _field("tries", "number", "deliveries"),
    _age("put there"),
)
AUDIT: Final = _subject(
    "audit entries",
    _field("who", "word", "user, or the id in the trail"),
    _field("act", "word", "what was done"),
    _field("about", "word", "what it was done to"),
    _RUN,
    _TASK,
    _field("approval", "word", "id of the request"),
    _field("number", "number", "number of the entry"),
    _age("entered"),
)
GROUPS: Final = _subject(
    "agent groups",
    _AGENT,
    _field(
        "state",
        "choice",
        "its verdict",
        ("stuck", "lost", "unassigned", "rewound", "flapping", "slow", "unknown", "working", "idle"),
    ),
    _TOPIC,
    _INSTANCE,
    _field("waiting", "number", "tasks that wait"),
    _field("running", "number", "tasks at work"),
    _field("members", "number", "members of the group"),
    _field("age", "duration", "age of the oldest waiting task"),
)
SUBJECTS: Final[dict[str, Subject]] = {
    "runs": RUNS,
    "tasks": TASKS,
    "events": EVENTS,
    "approvals": APPROVALS,
    "letters": LETTERS,
    "audit": AUDIT,
    "agents": GROUPS,
}
"""By the word that API and pages name them with."""
