"""The tables: read model (written by ingest alone), bookkeeping, and what people did."""

from dashboard.models.access import ApiToken, SavedView, SignInLink, SignInTry
from dashboard.models.agent import Agent, BrokerTopic, ConsumerGroup, GroupChange, GroupSnapshot
from dashboard.models.alert import Alert, AlertCall, Silence
from dashboard.models.approval import Approval, Claim, Request, Step, Vote
from dashboard.models.approvalrule import ApprovalRule, KillSwitch
from dashboard.models.audit import Audit, AuditHead
from dashboard.models.event import (
    Batch,
    Dictionary,
    Duplicate,
    EventKey,
    PrunedRecords,
    Segment,
    Stretch,
    TypeCount,
)
from dashboard.models.flow import FlowEdge
from dashboard.models.join import FanOut
from dashboard.models.letter import DeadLetter, Rejected
from dashboard.models.notice import Notice, NotificationChoice
from dashboard.models.outbox import Answer, Decision
from dashboard.models.policy import Policy
from dashboard.models.readiness import ReadinessAnswer
from dashboard.models.redrive import Redrive, RedriveItem
from dashboard.models.run import FoldPart, Run, RunPart
from dashboard.models.shard import Gap, Position, Shard, Worker
from dashboard.models.summary import SummaryCursor
from dashboard.models.task import Task
from dashboard.models.webhook import Webhook

__all__ = [
    "Agent",
    "Alert",
    "AlertCall",
    "Answer",
    "ApiToken",
    "Approval",
    "ApprovalRule",
    "Audit",
    "AuditHead",
    "Batch",
    "BrokerTopic",
    "Claim",
    "ConsumerGroup",
    "DeadLetter",
    "Decision",
    "Dictionary",
    "Duplicate",
    "EventKey",
    "FanOut",
    "FlowEdge",
    "FoldPart",
    "Gap",
    "GroupChange",
    "GroupSnapshot",
    "KillSwitch",
    "Notice",
    "NotificationChoice",
    "Policy",
    "Position",
    "PrunedRecords",
    "ReadinessAnswer",
    "Redrive",
    "RedriveItem",
    "Rejected",
    "Request",
    "Run",
    "RunPart",
    "SavedView",
    "Segment",
    "Shard",
    "SignInLink",
    "SignInTry",
    "Silence",
    "Step",
    "Stretch",
    "SummaryCursor",
    "Task",
    "TypeCount",
    "Vote",
    "Webhook",
    "Worker",
]
