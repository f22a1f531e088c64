"""The Task row: everything known of one unit of work, and who may say what about it.

Each topic owns its own fields, so that it does not matter in which order the topics are read:

- `run.task.commands` says what was asked (task_type to idempotency_key; the smallest position wins if the
  task was asked for twice), and when a cancellation or a compensation was asked for;
- `run.task.events` says what happened: the fields of `Track`. Whether a step is legal is judged here alone;
- `run.tool.events` counts calls, tokens and cost; every call counts once, however often it was delivered;
- `run.decision.commands` says when decisions were sent.

All facts of a task stand in one partition. Where they do not (a foreign partitioner, a duplicate after a
partition was added), each partition is one `Track`, judged on its own: the one that ended first is shown,
else the one that heard most; the rest wait in `others`, and the task is `split` (flagged so, also where the
second partition holds nothing but duplicates).
Late, double and illegal facts never change a state: they are kept as anomalies with their position.

Instants are microseconds since 1970 UTC, None where unknown. What each event does stands in `taskcommands`,
`taskfacts` and `calls`.
"""

from typing import Any, Final, Literal, NamedTuple

import msgspec

from coordination.anomalies import Anomaly
from coordination.events.shapes import Failure
from coordination.receipts import Receipt, Sent

State = Literal[
    "unknown",
    "requested",
    "submitted",
    "working",
    "retry_wait",
    "input_required",
    "auth_required",
    "completed",
    "failed",
    "canceled",
    "rejected",
    "expired",
]
Compensation = Literal["none", "requested", "running", "compensated", "failed"]

OPEN: Final = frozenset(
    ("", "unknown", "requested", "submitted", "working", "retry_wait", "input_required", "auth_required")
)
TERMINAL: Final = frozenset(("completed", "failed", "canceled", "rejected", "expired"))
FAILING: Final = frozenset(("failed", "rejected", "expired"))
HUMAN: Final = frozenset(("input_required", "auth_required"))

MAX_ATTEMPTS: Final = 50
MAX_PAUSES: Final = 50
MAX_KEPT: Final = 100


class Transition(NamedTuple):
    """From which states a fact is legal ("" is: no fact yet), and what follows; None: the state stays."""

    origins: frozenset[str]
    target: str | None


_BEGUN: Final = frozenset(("", "requested"))

TRANSITIONS: Final[dict[str, Transition]] = {
    "task.accepted": Transition(_BEGUN, "submitted"),
    "task.started": Transition(_BEGUN | {"submitted", "retry_wait"}, "working"),
    "task.paused": Transition(frozenset(("working",)), "input_required"),
    "task.resumed": Transition(HUMAN, "working"),
    "task.attempt.failed": Transition(frozenset(("working",)), "retry_wait"),
    "task.escalated": Transition(OPEN, "input_required"),
    "task.rejected": Transition(_BEGUN | {"submitted", "working"}, "rejected"),
    "task.completed": Transition(OPEN, "completed"),
    "task.failed": Transition(OPEN, "failed"),
    "task.canceled": Transition(OPEN, "canceled"),
    "task.expired": Transition(OPEN, "expired"),
    "task.assigned": Transition(OPEN, None),
    "task.released": Transition(OPEN, None),
    "task.progressed": Transition(OPEN, None),
    "task.checkpointed": Transition(OPEN, None),
    "task.artifact.produced": Transition(OPEN, None),
    "task.cancel.declined": Transition(OPEN, None),
    "task.invalidated": Transition(TERMINAL, "requested"),
    "task.reopened": Transition(TERMINAL, "requested"),
    "task.compensation.started": Transition(TERMINAL, None),
    "task.compensated": Transition(TERMINAL, None),
    "task.compensation.failed": Transition(TERMINAL, None),
}

COMPENSATIONS: Final[dict[str, Transition]] = {
    "task.compensation.started": Transition(frozenset(("none", "failed")), "running"),
    "task.compensated": Transition(frozenset(("none", "running")), "compensated"),
    "task.compensation.failed": Transition(frozenset(("none", "running")), "failed"),
}


class Attempt(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One try. `outcome` is empty while it runs, else completed, failed, canceled, rejected, expired or
    abandoned (another start came without an end: `heard_at` is its last sign of life).
    """

    number: int
    agent_id: str = ""
    event_id: str = ""
    accepted_at: int | None = None
    started_at: int | None = None
    heard_at: int | None = None
    ended_at: int | None = None
    outcome: str = ""
    error_type: str = ""
    error_message: str = ""
    next_attempt_at: int | None = None


class Pause(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A wait for a person, in attempt number `attempt`: `reason` is approval, question, credentials or escalated."""

    at: int
    reason: str
    attempt: int = 0
    approval_id: str = ""
    resumed_at: int | None = None


class Ending(msgspec.Struct, frozen=True, array_like=True):
    """A terminal state that was taken back by task.invalidated or task.reopened (`by`) after attempt number
    `attempt`; the event `event_id` had ended it.
    """

    state: str
    ended_at: int
    reopened_at: int
    by: str
    event_id: str
    attempt: int


class Track(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What the facts of one partition of `run.task.events` say of a task, in their order.

    `fact_state` is empty before the first fact. `facts` counts those that were applied, `heard_at` is the
    instant of the last one, `failed_at` of the first failure, even if that was taken back.
    `dead_lettered` is what the agent says; the record on the dead letter topic is the proof.
    """

    topic: str = ""
    partition: int = -1
    fact_state: str = ""
    facts: int = 0
    heard_at: int | None = None
    failed_at: int | None = None
    attempt: int = 0
    attempts: tuple[Attempt, ...] = ()
    agent_id: str = ""
    received_at: int | None = None
    ended_at: int | None = None
    ended_event: str = ""
    pauses: tuple[Pause, ...] = ()
    endings: tuple[Ending, ...] = ()
    error: Failure | None = None
    output: Any = None
    progress: float | None = None
    progress_text: str = ""
    compensated: str = "none"
    cancel_declined_at: int | None = None
    dead_lettered: bool = False

    @property
    def running(self) -> Attempt | None:
        """The attempt that has begun and not ended."""
        last = self.attempts[-1] if self.attempts else None
        return last if last and not last.outcome else None


class Task(Track, omit_defaults=True, kw_only=True):
    """One task. `state` is the shown state: of the facts, else requested if the command was read, else
    unknown. `fold_key` is empty until the command was read; `cost` is in millionths of the currency unit.
    `accepted_at` and `started_at` are the first ever, `seen_at` is the last sign of life. `called` holds one
    64-bit digest per counted call, so that each is counted once; `repeated_calls` counts those that were
    delivered again.
    """

    run_id: str
    task_id: str
    shard: str = ""
    tenant: str = ""
    state: str = "unknown"
    derived_times: bool = False
    # from run.task.commands
    task_type: str = ""
    title: str = ""
    agent_group: str = ""
    parent_task_id: str = ""
    depends_on: tuple[str, ...] = ()
    fold_key: str = ""
    stamped: bool = False
    fanout_id: str = ""
    fanout_index: int | None = None
    fanout_count: int | None = None
    retry_of: str = ""
    compensates: str = ""
    deadline: int | None = None
    expires_at: int | None = None
    input: Any = None
    input_ref: str = ""
    requested_at: int | None = None
    requested_by: str = ""
    request_id: str = ""
    causation_id: str = ""
    command_topic: str = ""
    command_partition: int | None = None
    command_offset: int | None = None
    idempotency_key: str = ""
    cancel_requested_at: int | None = None
    compensation_requested_at: int | None = None
    # from run.task.events, over all partitions
    accepted_at: int | None = None
    started_at: int | None = None
    seen_at: int | None = None
    receipts: tuple[Receipt, ...] = ()
    others: tuple[Track, ...] = ()
    # from run.decision.commands
    sent: tuple[Sent, ...] = ()
    # from run.tool.events
    tool_calls: int = 0
    tool_failures: int = 0
    model_calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: int = 0
    called: set[int] | None = None
    repeated_calls: int = 0
    # from all of them
    anomalies: tuple[Anomaly, ...] = ()
    anomaly_count: int = 0
    revision: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """The row's key: (run_id, task_id)."""
        return self.run_id, self.task_id

    @property
    def commanded(self) -> bool:
        """Whether the command was read."""
        return self.command_offset is not None

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The shown track (the row itself) and the others."""
        return (self, *self.others)

    @property
    def open(self) -> bool:
        """Whether the task may still change its state by itself."""
        return self.state in OPEN

    @property
    def compensation(self) -> str:
        """The second dimension of a terminal task: none, requested, running, compensated or failed."""
        if self.compensated == "none" and self.compensation_requested_at is not None:
            return "requested"
        return self.compensated

    @property
    def decision_sent_at(self) -> int | None:
        """When the last decision was sent to the agent."""
        return self.sent[-1].at if self.sent else None

    @property
    def split(self) -> bool:
        """Whether facts of this task were found in more than one partition."""
        return bool(self.others)
