"""What the API promises of its answers: field names and types, out of which the OpenAPI document is made.

Objects are open: the fields named here stay, others may join them.
"""

from typing import Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict


class Open(Schema):
    """An object that may carry more fields than it promises."""

    model_config = ConfigDict(extra="allow")


class Failure(Open):
    """An error as it was sent: type and message."""

    type: str
    message: str


class FirstCause(Open):
    """The earliest failure of a run, and how many tasks it blocks."""

    task_id: str
    agent_group: str
    error: Failure
    attempts: int
    blocked: int


class RunShape(Open):
    """One run."""

    run_id: str
    name: str
    state: str
    started_at: str | None
    ended_at: str | None
    counts: dict[str, int]
    first_cause: FirstCause | None
    revision: int


class RunPage(Schema):
    """One page of runs."""

    items: list[RunShape]
    next: str | None


class Waiting(Open):
    """Why a task waits: a reason, a sentence with evidence, where to look."""

    reason: str
    text: str
    link: str | None = None


class TaskShape(Open):
    """One task. `waiting` is there for open tasks only."""

    task_id: str
    parent_task_id: str
    depends_on: list[str]
    task_type: str
    title: str
    agent_group: str
    agent_id: str
    state: str
    attempt: int
    attempts: list[dict[str, Any]]
    requested_at: str | None
    started_at: str | None
    ended_at: str | None
    derived_times: bool
    error: Failure | None
    anomalies: list[dict[str, Any]]
    waiting: Waiting | None = None


class TaskPage(Schema):
    """One page of tasks."""

    items: list[TaskShape]
    next: str | None


class FoldShape(Open):
    """Alike tasks of a run, counted by state."""

    label: str
    agent_group: str
    counts: dict[str, int]
    total: int
    done: int


class FoldPage(Schema):
    """The folds of a run."""

    items: list[FoldShape]
    next: str | None


class NodeShape(Open):
    """A node of the graph: a task, a fold of alike tasks, or a join."""

    id: str
    kind: str
    label: str
    agent_group: str
    members: int
    counts: dict[str, int]
    surfaced: list[dict[str, Any]]


class EdgeShape(Open):
    """An edge between two nodes; `count` dependencies lie in it."""

    source: str
    target: str
    count: int


class GraphShape(Open):
    """The graph of a run, folded on the server."""

    nodes: list[NodeShape]
    edges: list[EdgeShape]
    revision: int


class MissingInput(Open):
    """An input that a join still waits for, and where it is."""

    index: int | None
    task_id: str | None
    where: str


class JoinShape(Open):
    """A join: its rule, who arrived, who is missing. `expected` is null while the fan-out is not sealed."""

    fanout_id: str
    rule: str
    expected: int | None
    arrived: int
    counts: dict[str, int]
    missing: list[MissingInput]
    late: int
    duplicates: int
    verdict: str


class DelayShape(Open):
    """Where the time of a run went; `parts` sum to `wall_ms`, and so do the stretches of the path."""

    wall_ms: float
    parts: dict[str, float]
    critical_path: list[dict[str, Any]]
    unattributed_ms: float


class JoinPage(Schema):
    """The joins of a run."""

    items: list[JoinShape]
    next: str | None


class EventShape(Open):
    """One record, without what it carries."""

    topic: str
    partition: int
    offset: int
    id: str
    type: str
    time: str | None
    task_id: str
    agent_id: str
    causation_id: str


class EventPage(Schema):
    """One page of records, oldest first."""

    items: list[EventShape]
    next: str | None


class RecordShape(Open):
    """One record: attributes, data, what caused it, what it caused, and where each group stands with it."""

    attributes: dict[str, str]
    data: Any
    causes: list[dict[str, Any]]
    effects: list[dict[str, Any]]
    fate: list[dict[str, Any]]


class VerdictShape(Open):
    """The judgement on a group, with the facts it was made of."""

    state: str
    facts: list[dict[str, Any]]


class GroupShape(Open):
    """One agent group at the last poll; null is unknown."""

    group: str
    verdict: VerdictShape
    waiting: int | None
    running: int | None
    age_seconds: float | None
    eta: str
    members: int | None
    partitions: list[dict[str, Any]]
    as_of: str


class GroupPage(Schema):
    """All agent groups, worst verdict first."""

    items: list[GroupShape]
    next: str | None


class ApprovalShape(Open):
    """One request for approval."""

    approval_id: str
    request_version: int
    content_hash: str
    state: str
    action: dict[str, Any]
    risk: str
    due_at: str | None
    expires_at: str | None
    receipt: dict[str, Any] | None


class ApprovalDetail(ApprovalShape):
    """One request with the votes on it."""

    votes: list[dict[str, Any]]


class ApprovalPage(Schema):
    """Requests for approval."""

    items: list[ApprovalShape]
    next: str | None


class DecisionBody(Schema):
    """What somebody decided, on exactly what they were shown."""

    decision: Literal["approve", "reject", "edit", "respond"]
    request_version: int = Field(ge=1)
    content_hash: str = Field(max_length=128)
    comment: str = Field("", max_length=10_000)
    args: Any = None


class RevokeBody(Schema):
    """Why a decision should not be acted on."""

    reason: str = Field("", max_length=10_000)


class ClaimShape(Schema):
    """Whose claim holds, and until when."""

    approval_id: str
    person: str
    until: str | None


class ActBody(Schema):
    """What is to be done with a task, and why."""

    act: Literal["cancel", "retry", "compensate"]
    reason: str = Field("", max_length=2_000)


class ActShape(Schema):
    """What was asked for; `new_task_id` is the task that redoes it."""

    act: str
    task_id: str
    saved_at: str | None
    new_task_id: str | None
    new_task_url: str | None


class DecisionReceipt(Open):
    """What became of a decision so far."""

    approval_id: str
    saved_at: str | None
    published: dict[str, Any] | None
    applied_at: str | None
    refused: dict[str, Any] | None


class LetterShape(Open):
    """A record that went wrong: rejected by us, or given up by an agent."""

    kind: str
    topic: str
    partition: int
    offset: int
    at: str | None
    stage: str
    reason: str


class LetterPage(Schema):
    """One page of them, newest first."""

    items: list[LetterShape]
    next: str | None


class Health(Open):
    """How the dashboard is. Without login there is the status alone."""

    status: str


class Placed(Schema):
    """Where an appended event stands."""

    topic: str
    partition: int
    offset: int


class PlacedPage(Schema):
    """Where the events of one POST stand, in their order."""

    items: list[Placed]


class MarkShape(Open):
    """One mark of the scrubber: a stretch of time, the states that changed in it, the failures among them."""

    position: str
    time: str
    changed: int
    failed: int


class MarkPage(Schema):
    """The marks of a run, oldest first."""

    items: list[MarkShape]
    next: str | None
