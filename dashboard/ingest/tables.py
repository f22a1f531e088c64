"""Which columns each row of the fold has in the database: one Table per kind of row.

The whole row goes into `body` as JSON; the columns beside it are what lists and judgements ask for.
"""

from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar

import msgspec

from coordination.agents import Agent
from coordination.joins import FanOut
from coordination.requests import Request
from coordination.runs import FoldPart, RunPart
from coordination.tasks import Task
from dashboard.ingest.fingerprint import fingerprint

Row = TypeVar("Row")
TEXT: Final = "text"
BIGINT: Final = "bigint"
INTEGER: Final = "integer"
BYTES: Final = "bytea"


class Table(msgspec.Struct, Generic[Row], frozen=True):
    """How rows of one kind are kept.

    `key` are the names of the key columns, `columns` all others but `revision` and `body` with their type;
    `values` gives the values of key and columns of a row, in that order.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    row: type[Row]
    values: Callable[[Row], tuple[Any, ...]]
    key_of: Callable[[Row], Hashable]
    packed: bool = False
    """Whether the body is compressed (see `dashboard.models.body`)."""

    @property
    def all_columns(self) -> tuple[tuple[str, str], ...]:
        """(name, SQL type) of every column, in the order they are written."""
        return (
            *((name, TEXT) for name in self.key),
            *self.columns,
            ("revision", BIGINT),
            ("body", BYTES if self.packed else TEXT),
        )


def _task(task: Task) -> tuple[Any, ...]:
    return (
        task.run_id,
        task.task_id,
        task.shard,
        task.tenant,
        task.state,
        task.task_type,
        task.title,
        task.agent_group,
        task.agent_id,
        task.fold_key,
        task.parent_task_id,
        task.fanout_id,
        task.fanout_index,
        task.retry_of,
        task.attempt,
        task.requested_at,
        task.started_at,
        task.ended_at,
        task.command_topic,
        task.command_partition,
        task.command_offset,
        fingerprint(task.error) if task.error else "",
    )


TASKS: Final = Table(
    "dashboard_task",
    ("run_id", "task_id"),
    (
        ("shard", TEXT),
        ("tenant", TEXT),
        ("state", TEXT),
        ("task_type", TEXT),
        ("title", TEXT),
        ("agent_group", TEXT),
        ("agent_id", TEXT),
        ("fold_key", TEXT),
        ("parent_task_id", TEXT),
        ("fanout_id", TEXT),
        ("fanout_index", INTEGER),
        ("retry_of", TEXT),
        ("attempt", INTEGER),
        ("requested_at", BIGINT),
        ("started_at", BIGINT),
        ("ended_at", BIGINT),
        ("command_topic", TEXT),
        ("command_partition", INTEGER),
        ("command_offset", BIGINT),
        ("error_fingerprint", TEXT),
    ),
    Task,
    _task,
    lambda task: (task.run_id, task.task_id),
    packed=True,
)
RUN_PARTS: Final = Table(
    "dashboard_runpart",
    ("run_id", "shard"),
    (),
    RunPart,
    lambda part: (part.run_id, part.shard),
    lambda part: (part.run_id, part.shard),
)
FOLD_PARTS: Final = Table(
    "dashboard_foldpart",
    ("run_id", "fold_key", "shard"),
    (("agent_group", TEXT), ("task_type", TEXT)),
    FoldPart,
    lambda part: (part.run_id, part.fold_key, part.shard, part.agent_group, part.task_type),
    lambda part: (part.run_id, part.fold_key, part.shard),
)
FAN_OUTS: Final = Table(
    "dashboard_fanout",
    ("run_id", "fanout_id"),
    (),
    FanOut,
    lambda fan_out: (fan_out.run_id, fan_out.fanout_id),
    lambda fan_out: (fan_out.run_id, fan_out.fanout_id),
)
REQUESTS: Final = Table(
    "dashboard_request",
    ("approval_id",),
    (
        ("run_id", TEXT),
        ("task_id", TEXT),
        ("agent_group", TEXT),
        ("version", INTEGER),
        ("content_hash", TEXT),
        ("state", TEXT),
        ("requested_at", BIGINT),
        ("due_at", BIGINT),
        ("expires_at", BIGINT),
    ),
    Request,
    lambda request: (
        request.approval_id,
        request.run_id,
        request.task_id,
        request.agent_group,
        request.version,
        request.content_hash,
        request.state,
        request.requested_at,
        request.due_at,
        request.expires_at,
    ),
    lambda request: request.approval_id,
)
AGENTS: Final = Table(
    "dashboard_agent",
    ("agent_group", "agent_id"),
    (("last_heartbeat_at", BIGINT),),
    Agent,
    lambda agent: (agent.agent_group, agent.agent_id, agent.heartbeat_at),
    lambda agent: (agent.agent_group, agent.agent_id),
)
