"""The table of every event type: what it is called, whether it asks or states, and where it lives.

A name that ends in `.requested` is an **intent**: it lives only on a commands topic and only its addressee
acts on it. Every other name is a **fact**: it lives on an events, state or heartbeats topic and anyone may
project it. A type that is not in the table is no error: it is stored and shown as it is.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from coordination.events import agent, approval, call, fanout, operation, run, summary, task
from coordination.events.shapes import Data, Nothing

TYPE_PREFIX: Final = "coordination."

Kind = Literal["intent", "fact"]
Key = Literal["taskid", "correlationid", "agentid", "subject"]


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

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return TYPE_PREFIX + self.name


def _rows(family: str, topic: str, subject: str, key: Key, schemas: Mapping[str, type[Data]]) -> list[EventType]:
    return [
        EventType(name, "intent" if name.endswith(".requested") else "fact", family, topic, subject, key, schema)
        for name, schema in schemas.items()
    ]


RUN: Final = _rows(
    "run",
    "run.workflow.events",
    "run",
    "correlationid",
    {
        "run.started": run.RunStarted,
        "run.completed": run.RunCompleted,
        "run.failed": run.RunFailed,
        "run.canceled": run.RunCanceled,
    },
)

TASK_INTENTS: Final = _rows(
    "task",
    "run.task.commands",
    "task",
    "taskid",
    {
        "task.requested": task.TaskRequested,
        "task.cancel.requested": task.TaskCancelRequested,
        "task.compensation.requested": task.TaskCompensationRequested,
    },
)

TASK_FACTS: Final = _rows(
    "task",
    "run.task.events",
    "task",
    "taskid",
    {
        "task.accepted": Nothing,
        "task.rejected": task.TaskRejected,
        "task.assigned": task.TaskAssigned,
        "task.released": task.TaskReleased,
        "task.started": task.TaskStarted,
        "task.progressed": task.TaskProgressed,
        "task.paused": task.TaskPaused,
        "task.resumed": task.TaskResumed,
        "task.attempt.failed": task.TaskAttemptFailed,
        "task.checkpointed": task.TaskCheckpointed,
        "task.artifact.produced": task.TaskArtifactProduced,
        "task.escalated": task.TaskEscalated,
        "task.completed": task.TaskCompleted,
        "task.failed": task.TaskFailed,
        "task.canceled": task.TaskCanceled,
        "task.cancel.declined": task.TaskCancelDeclined,
        "task.expired": task.TaskExpired,
        "task.invalidated": task.TaskInvalidated,
        "task.reopened": task.TaskReopened,
        "task.compensation.started": task.TaskCompensation,
        "task.compensated": task.TaskCompensation,
        "task.compensation.failed": task.TaskCompensationFailed,
    },
)

# Only the relay writes the decision topic: what an agent reads there was decided by a person or a policy.
DECISIONS: Final = [
    *_rows(
        "task",
        "run.decision.commands",
        "task",
        "taskid",
        {"task.resume.requested": task.TaskResumeRequested},
    ),
    *_rows(
        "approval",
        "run.decision.commands",
        "approval",
        "taskid",
        {"decision.revoke.requested": approval.DecisionRevokeRequested},
    ),
    *_rows(
        "approval",
        "run.task.events",
        "approval",
        "taskid",
        {
            "decision.applied": approval.DecisionApplied,
            "decision.refused": approval.DecisionRefused,
            "decision.revoked": approval.DecisionRevoked,
        },
    ),
]

FANOUT: Final = _rows(
    "fanout",
    "run.workflow.events",
    "fanout",
    "correlationid",
    {
        "fanout.opened": fanout.FanoutOpened,
        "fanout.sealed": fanout.FanoutSealed,
        "fanin.satisfied": fanout.FaninSatisfied,
        "fanin.failed": fanout.FaninFailed,
        "fanin.expired": fanout.FaninExpired,
        "fanin.branch.late": fanout.FaninBranchLate,
    },
)

CALLS: Final = [
    *_rows("tool", "run.tool.commands", "toolcall", "taskid", {"tool.call.requested": call.ToolCallRequested}),
    *_rows(
        "tool",
        "run.tool.events",
        "toolcall",
        "taskid",
        {
            "tool.call.started": call.ToolCallStarted,
            "tool.call.completed": call.ToolCallCompleted,
            "tool.call.failed": call.ToolCallFailed,
            "tool.call.canceled": call.ToolCallStopped,
            "tool.call.expired": call.ToolCallStopped,
            "tool.call.blocked": call.ToolCallStopped,
        },
    ),
    *_rows("model", "run.tool.events", "task", "taskid", {"model.call.completed": call.ModelCallCompleted}),
]

APPROVAL: Final = [
    *_rows(
        "approval",
        "review.approval.commands",
        "approval",
        "taskid",
        {"approval.requested": approval.ApprovalRequested},
    ),
    *_rows(
        "approval",
        "review.approval.events",
        "approval",
        "taskid",
        {
            "approval.claimed": approval.ApprovalClaimed,
            "approval.vote.recorded": approval.ApprovalVoteRecorded,
            "approval.granted": approval.ApprovalDecided,
            "approval.denied": approval.ApprovalDecided,
            "approval.deferred": approval.ApprovalDeferred,
            "approval.escalated": approval.ApprovalEscalated,
            "approval.expired": approval.ApprovalExpired,
            "approval.withdrawn": approval.ApprovalWithdrawn,
        },
    ),
]

AGENT: Final = [
    *_rows(
        "agent",
        "ops.events",
        "agent",
        "subject",
        {
            "agent.registered": agent.AgentRegistered,
            "agent.role.assigned": agent.AgentRole,
            "agent.role.released": agent.AgentRole,
            "agent.deregistered": agent.AgentDeregistered,
        },
    ),
    *_rows(
        "agent",
        "ops.heartbeats",
        "agent",
        "agentid",
        {"agent.heartbeat.recorded": agent.AgentHeartbeatRecorded},
    ),
]

STATE: Final = [
    *_rows("state", "run.state.task", "task", "taskid", {"task.summary.updated": summary.TaskSummaryUpdated}),
    *_rows(
        "state",
        "run.state.workflow",
        "run",
        "correlationid",
        {"run.summary.updated": summary.RunSummaryUpdated},
    ),
    *_rows("state", "run.state.agent", "agent", "agentid", {"agent.summary.updated": summary.AgentSummaryUpdated}),
]

OPERATIONS: Final = [
    *_rows(
        "ops",
        "ops.commands",
        "group",
        "subject",
        {"record.redrive.requested": operation.RecordRedriveRequested},
    ),
    *_rows("ops", "ops.commands", "run", "subject", {"replay.requested": operation.ReplayRequested}),
    *_rows(
        "ops",
        "ops.events",
        "run",
        "subject",
        {"replay.started": operation.ReplayStarted, "replay.completed": operation.ReplayCompleted},
    ),
    *_rows(
        "ops",
        "ops.events",
        "group",
        "subject",
        {
            "record.deadlettered": operation.RecordDeadlettered,
            "record.redriven": operation.RecordRedriven,
            "record.discarded": operation.RecordDiscarded,
            "consumer.lag.exceeded": operation.LagExceeded,
            "consumer.lag.recovered": operation.LagRecovered,
            "consumer.stalled": operation.ConsumerStalled,
        },
    ),
    # Who speaks is the dashboard, and it speaks of itself.
    *_rows("ops", "ops.events", "agent", "subject", {"audit.anchored": operation.AuditAnchored}),
]

CATALOGUE: Final[dict[str, EventType]] = {
    entry.name: entry
    for family in (
        RUN,
        TASK_INTENTS,
        TASK_FACTS,
        DECISIONS,
        FANOUT,
        CALLS,
        APPROVAL,
        AGENT,
        STATE,
        OPERATIONS,
    )
    for entry in family
}
