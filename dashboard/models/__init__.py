"""The tables: read model (written by ingest alone), bookkeeping, and what people did."""

from dashboard.models.access import ApiToken, SavedView, SignInLink
from dashboard.models.agent import Agent, ConsumerGroup, GroupSnapshot
from dashboard.models.approval import Approval, Claim, Request, Step, Vote
from dashboard.models.audit import Audit
from dashboard.models.event import Batch, Dictionary, Duplicate, EventKey, Segment, Stretch
from dashboard.models.join import FanOut
from dashboard.models.letter import DeadLetter, Rejected
from dashboard.models.outbox import Answer, Decision
from dashboard.models.run import FoldPart, Run, RunPart
from dashboard.models.shard import Gap, Position, Shard, Worker
from dashboard.models.task import Task

__all__ = [
    "Agent",
    "Answer",
    "ApiToken",
    "Approval",
    "Audit",
    "Batch",
    "Claim",
    "ConsumerGroup",
    "DeadLetter",
    "Decision",
    "Dictionary",
    "Duplicate",
    "EventKey",
    "FanOut",
    "FoldPart",
    "Gap",
    "GroupSnapshot",
    "Position",
    "Rejected",
    "Request",
    "Run",
    "RunPart",
    "SavedView",
    "Segment",
    "Shard",
    "SignInLink",
    "Step",
    "Stretch",
    "Task",
    "Vote",
    "Worker",
]
