"""What the API promises of its answers: field names and types, out of which the OpenAPI document is made.

Objects are open: the fields named here stay, others may join them.
"""

from typing import Any

from ninja import Schema
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
    depends_on_count: int
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


class MatchShape(Open):
    """Boxes of a graph that hold what a query line asks for: id of the box -> how many of its tasks."""

    total: int
    nodes: dict[str, int]
    revision: int
