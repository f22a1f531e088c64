"""The table of every event type: what it is called, whether it asks or states, and where it lives.

A name that ends in `.requested` is an **intent**: it lives only on a commands topic and only its addressee
acts on it. Every other name is a **fact**: it lives on an events, state or heartbeats topic and anyone may
project it. A type that is not in the table is no error: it is stored and shown as it is.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

TYPE_PREFIX: Final = "coordination."

Kind = Literal["intent", "fact"]
Key = Literal["taskid", "correlationid", "agentid", "subject"]


class Data(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Base of all data schemas: an open object, fields it does not know are kept in the raw record."""


class EventType(msgspec.Struct, frozen=True):
    """One catalogue entry.

    `name` is the catalogue name without prefix, `family` the row of the protocol's table it stands in,
    `topic` the topic family it lives on (without the namespace), `subject` the kind in `subject` =
    `<kind>/<id>`, `key` the attribute whose value is the record key, `schema` the struct of its data.
    """

    name: str
    kind: Kind
    family: str
    topic: str
    subject: str
    key: Key
    schema: type[Data]


def _rows(family: str, topic: str, subject: str, key: Key, names: str) -> Iterator[EventType]:
    for name in names.split():
        kind: Kind = "intent" if name.endswith(".requested") else "fact"
        yield EventType(name, kind, family, topic, subject, key, Data)


_TABLE: Final = (
    ("run", "run.workflow.events", "run", "correlationid", "run.started run.completed run.failed run.canceled"),
    (
        "task",
        "run.task.commands",
        "task",
        "taskid",
        "task.requested task.cancel.requested task.compensation.requested",
    ),
    ("task", "run.decision.commands", "task", "taskid", "task.resume.requested"),
    (
        "task",
        "run.task.events",
        "task",
        "taskid",
        "task.accepted task.rejected task.assigned task.released task.started task.progressed task.paused "
        "task.resumed task.attempt.failed task.checkpointed task.artifact.produced task.escalated "
        "task.completed task.failed task.canceled task.cancel.declined task.expired task.invalidated "
        "task.reopened task.compensation.started task.compensated task.compensation.failed",
    ),
    (
        "fanout",
        "run.workflow.events",
        "fanout",
        "correlationid",
        "fanout.opened fanout.sealed fanin.satisfied fanin.failed fanin.expired fanin.branch.late",
    ),
    ("tool", "run.tool.commands", "toolcall", "taskid", "tool.call.requested"),
    (
        "tool",
        "run.tool.events",
        "toolcall",
        "taskid",
        "tool.call.started tool.call.completed tool.call.failed tool.call.canceled tool.call.expired "
        "tool.call.blocked",
    ),
    ("model", "run.tool.events", "task", "taskid", "model.call.completed"),
    ("approval", "review.approval.commands", "approval", "taskid", "approval.requested"),
    ("approval", "run.decision.commands", "approval", "taskid", "decision.revoke.requested"),
    (
        "approval",
        "review.approval.events",
        "approval",
        "taskid",
        "approval.claimed approval.vote.recorded approval.granted approval.denied approval.deferred "
        "approval.escalated approval.expired approval.withdrawn",
    ),
    (
        "approval",
        "run.task.events",
        "approval",
        "taskid",
        "decision.applied decision.refused decision.revoked",
    ),
    (
        "agent",
        "ops.events",
        "agent",
        "subject",
        "agent.registered agent.role.assigned agent.role.released agent.deregistered",
    ),
    ("agent", "ops.heartbeats", "agent", "agentid", "agent.heartbeat.recorded"),
    ("state", "run.state.task", "task", "taskid", "task.summary.updated"),
    ("state", "run.state.workflow", "run", "correlationid", "run.summary.updated"),
    ("state", "run.state.agent", "agent", "agentid", "agent.summary.updated"),
    ("ops", "ops.commands", "group", "subject", "record.redrive.requested"),
    ("ops", "ops.commands", "run", "subject", "replay.requested"),
    ("ops", "ops.events", "group", "subject", "record.deadlettered record.redriven record.discarded"),
    ("ops", "ops.events", "run", "subject", "replay.started replay.completed"),
    (
        "ops",
        "ops.events",
        "group",
        "subject",
        "consumer.lag.exceeded consumer.lag.recovered consumer.stalled",
    ),
)

CATALOGUE: Final[dict[str, EventType]] = {entry.name: entry for row in _TABLE for entry in _rows(*row)}
