"""The runtime for agents: handlers, retry, dead letters, idempotency, fan-out and join, heartbeats, approval gate.

`Agent` is what an author needs; the README of the package above shows it at work.
"""

from coordination.agent.agent import Agent
from coordination.agent.calls import ModelReply, ToolCall
from coordination.agent.client import Client
from coordination.agent.context import TaskContext
from coordination.agent.errors import Fatal, JoinFailed, Rejected, SubtaskFailed
from coordination.agent.factcontext import FactContext
from coordination.agent.gate import Decision
from coordination.agent.openlog import open_log
from coordination.agent.retry import Retry
from coordination.agent.subtasks import Result
from coordination.events.approval import Policy, Preview

__all__ = [
    "Agent",
    "Client",
    "Decision",
    "FactContext",
    "Fatal",
    "JoinFailed",
    "ModelReply",
    "Policy",
    "Preview",
    "Rejected",
    "Result",
    "Retry",
    "SubtaskFailed",
    "TaskContext",
    "ToolCall",
    "open_log",
]
